"""Several workers that share the tasks of a point between them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from dse.errors import SetupError
from dse.loading import Activity, Request
from dse.worker.client import RemoteProblem

if TYPE_CHECKING:
    from dse.records.point import DesignPoint, ScoreResult


class SharedProblem(RemoteProblem):
    """The problem of a space file, in several workers, each on cores of its own.

    One of them answers everything. Where a point has tasks that were not scored before, each worker scores some, and leaves
    what it found in the cache that all share, so that nothing is evaluated twice and the answer is the same as that of one
    worker.

    Args:
        request: what to load.
        activity: is told of downloads and fine-tuning.
        workers: how many, two at least.

    Raises:
        SetupError: there are fewer cores than workers.
    """

    def __init__(self, request: Request, activity: Activity | None = None, *, workers: int) -> None:
        shares = cores_of(workers)
        super().__init__(request, activity, cores=shares[0])
        self._others = [RemoteProblem(request, cores=cores) for cores in shares[1:]]
        self._threads = ThreadPoolExecutor(workers)

    def close(self) -> None:
        """End all workers; safe to call again."""
        super().close()
        for other in getattr(self, "_others", ()):  # there are none yet while the first one loads
            other.close()

    def prepare(self, *, scores: bool = True) -> None:
        """Do every plugin's heavy work in one worker; the others find what it made."""
        super().prepare(scores=scores)
        list(self._threads.map(lambda other: other.prepare(scores=False), self._others))

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Score of one point on a split."""
        missing = self.unmeasured(point, split)
        if len(missing) < 2:  # one task is one worker's work
            return super().score(point, split)
        everyone = [super().measure, *(other.measure for other in self._others)]
        shares = [missing[at :: len(everyone)] for at in range(len(everyone))]
        work = [(measure, share) for measure, share in zip(everyone, shares, strict=True) if share]
        done = [self._threads.submit(measure, point, share, split) for measure, share in work]
        evaluated = sum(future.result() for future in done)
        found = super().score(point, split)
        return replace(found, evaluated=found.evaluated + evaluated)


def cores_of(workers: int) -> list[list[int]]:
    """Share the cores this process may use among workers.

    Raises:
        SetupError: there are fewer cores than workers.
    """
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if workers > len(usable):
        raise SetupError(
            "there are fewer cores than workers", where="--workers", expected=f"at most {len(usable)}", found=workers
        )
    return [usable[at * len(usable) // workers : (at + 1) * len(usable) // workers] for at in range(workers)]
