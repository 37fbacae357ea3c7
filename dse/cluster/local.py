"""A cluster on this machine, in a process that ends with the one that started it: ``python -m dse.cluster.local WORKERS``."""

import json
import os
import signal
import sys
import threading
from typing import Any

HOST = "127.0.0.1"


def main() -> None:
    """Run a scheduler and workers, write address and credentials as a line of JSON, and end when standard input ends.

    All of them listen on the loopback interface alone. Only who reads the line has the credentials, so other users of the
    machine cannot use the cluster.
    """
    from distributed import LocalCluster
    from distributed.security import Security

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a request to stop is for the process that keeps the log
    threading.Thread(target=_end_with_input, daemon=True).start()
    made = Security.temporary()
    quiet: dict[str, Any] = {
        "dashboard_address": f"{HOST}:0",
        "worker_dashboard_address": f"{HOST}:0",
        "silence_logs": 50,
    }
    own = {"n_workers": int(sys.argv[1]), "threads_per_worker": 1, "memory_limit": 0}
    cluster = LocalCluster(host=HOST, protocol="tls", security=made, **own, **quiet)
    names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
    secrets = {name: getattr(made, name) for name in names}
    sys.stdout.write(json.dumps([cluster.scheduler_address, secrets]) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


def _end_with_input() -> None:
    """End this process and those that it has started, when the other end of standard input is gone."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
