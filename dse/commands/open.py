"""Open the problem of a study file for a command, in workers or in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dse.records.problem import Problem
    from dse.space.searchspace import SearchSpace
    from dse.study.provenance import Provenance
from dse.records.callbacks import ProgressCallback
from dse.study.load import Request, load


@contextmanager
def open_problem(
    wanted: Request, activity: ProgressCallback | None, *, in_process: bool, workers: int = 1
) -> Iterator[tuple[Problem, SearchSpace, Provenance]]:
    """Give the problem, resolved space and provenance of a space file, evaluated in workers unless ``in_process``."""
    if in_process:
        yield load(wanted, activity)
        return
    from dse.worker.client import RemoteProblem
    from dse.worker.pool import SharedProblem

    remote = RemoteProblem(wanted, activity) if workers == 1 else SharedProblem(wanted, activity, workers=workers)
    with remote as problem:
        yield problem, problem.space, problem.provenance
