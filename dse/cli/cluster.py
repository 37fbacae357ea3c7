"""The commands `dse cluster ...`: what a cluster computes."""

from typing import Annotated

import typer

import dse
from dse.cli import options as opt
from dse.cli.errors import FAILED, say
from dse.cli.output import Format, write_frame
from dse.cli.progress import reporter

cluster = opt.make_group("Clusters whose workers score designs.")


@cluster.callback()
def keep_name() -> None:
    """Keep `check` a command of its own although the group has no other."""


def cluster_check(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Cluster: local:N, tls://HOST:PORT, or a scheduler file.")
    ],
    *,
    insecure_cluster: opt.InsecureCluster = False,
    wait_s: Annotated[float, opt.time_limit("Time to wait for the first worker.")] = 60.0,
    form: opt.Form = Format.TABLE,
    quiet: opt.Quiet = False,
) -> None:
    """Let every worker of a cluster compute the same thing, and say what differs from this machine."""
    with reporter(quiet=quiet) as observer:
        rows = dse.cluster_check(target, insecure_cluster=insecure_cluster, wait_s=wait_s, activity=observer.activity)
    write_frame(rows, form, list(rows.columns))
    if refused := int(rows["refused"].notna().sum()):
        say(f"error: a study would refuse {refused} of {len(rows)} workers")
        raise typer.Exit(FAILED)


opt.add_command(cluster, cluster_check, "check")
