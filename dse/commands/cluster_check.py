"""`dse cluster check`: compare what the workers of a cluster compute with what this machine computes."""

import time

import pandas as pd

from dse.errors import SetupError
from dse.records.callbacks import ProgressCallback, ignore_progress


def cluster_check(
    target: str, *, insecure_cluster: bool = False, wait_s: float = 60.0, activity: ProgressCallback | None = None
) -> pd.DataFrame:
    """Let every worker of a cluster compute the same thing, without models or data, and compare.

    Args:
        target: the cluster, as for `run`.
        insecure_cluster: whether an unencrypted connection may leave this machine.
        wait_s: time to wait for the first worker, s.
        activity: callback for what happens.

    Returns:
        One row per worker: ``worker``, its address, and ``refused``: why a study would not use it, empty if it would.

    Raises:
        SetupError: the cluster cannot be reached, or has no worker.
    """
    from dse.cluster import remote
    from dse.cluster.connect import Connection
    from dse.cluster.crew import Crew
    from dse.cluster.target import read_target

    report, where = activity or ignore_progress, read_target(target, insecure=insecure_cluster)
    connection, until = Connection(where), time.monotonic() + wait_s
    try:
        while not connection.list_workers():
            if time.monotonic() > until:
                expected = f"a worker within {wait_s:g} s (--wait-s)"
                raise SetupError("the cluster has no worker", where=target, expected=expected)
            report("waiting for the first worker", None)
            time.sleep(0.2)
        crew = Crew(connection, "", remote.probe(), report)
        crew.gather(every=True)
    finally:
        connection.close()
    rows = {address: crew.refused.get(address) for address in sorted(crew.accepted | set(crew.refused))}
    return pd.DataFrame(rows.items(), columns=["worker", "refused"])
