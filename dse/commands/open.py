"""Open the problem of a study file for a command, in workers or in this process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dse.errors import SetupError
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.problem import Problem
from dse.space.searchspace import SearchSpace
from dse.study.load import Request, load
from dse.study.provenance import Provenance


@contextmanager
def open_problem(
    wanted: Request,
    activity: ProgressCallback | None,
    *,
    in_process: bool,
    workers: int = 1,
    cluster: str | None = None,
    insecure_cluster: bool = False,
) -> Iterator[tuple[Problem, SearchSpace, Provenance]]:
    """Give the problem, resolved space and provenance of a space file, evaluated in workers unless ``in_process``."""
    chosen = {"--workers": workers > 1, "--in-process": in_process, "--cluster": cluster is not None}
    if len(named := [name for name, is_chosen in chosen.items() if is_chosen]) > 1:
        raise SetupError(f"{' and '.join(named)} exclude each other", found=f"--workers {workers}, --cluster {cluster}")
    if in_process:
        yield load(wanted, activity)
        return
    from dse.worker.client import RemoteProblem
    from dse.worker.pool import SharedProblem

    remote: RemoteProblem
    if cluster is not None:
        from dse.cluster.problem import ClusterProblem
        from dse.cluster.target import read_target

        remote = ClusterProblem(wanted, activity, target=read_target(cluster, insecure=insecure_cluster))
    else:
        remote = RemoteProblem(wanted, activity) if workers == 1 else SharedProblem(wanted, activity, workers=workers)
    with remote as problem:
        yield problem, problem.space, problem.provenance


def call_apart(
    wanted: Request, activity: ProgressCallback | None, function: Callable[..., Any], *arguments: Any, in_process: bool
) -> Any:
    """Return what a function of a module returns in a worker, or in this process if ``in_process``.

    The function gets the request, the arguments and the callback. It returns values that `dse.worker.wire` reads.
    """
    report = activity or ignore_progress
    if in_process:
        return function(wanted, *arguments, report)
    from dse.worker.process import Worker

    with Worker(wanted.space.search.time_limit_s, report, limit="search.time_limit_s") as worker:
        return worker.call(function, wanted, *arguments)
