"""Several workers that share the tasks of a point between them."""

from __future__ import annotations

import os
import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from dse.errors import SetupError
from dse.records.callbacks import ProgressCallback
from dse.study.load import Request
from dse.worker.client import RemoteProblem

if TYPE_CHECKING:
    from dse.records.design import DesignPoint
    from dse.records.scored import ScoreResult


class SharedProblem(RemoteProblem):
    """The problem of a space file, in several workers, each on cores of its own.

    One of them answers everything. Where a point has tasks that were not scored before, or points do that are expected with
    it, each worker scores one after the other, and leaves what it found in the cache that all share, so that nothing is
    evaluated twice and the answer is the same as that of one worker.

    Args:
        request: what to load.
        activity: is told of downloads and fine-tuning.
        workers: how many, two at least.

    Raises:
        SetupError: there are fewer cores than workers.
    """

    def __init__(self, request: Request, activity: ProgressCallback | None = None, *, workers: int) -> None:
        shares = cores_of(workers)
        super().__init__(request, activity, cores=shares[0])
        self._others = [RemoteProblem(request, cores=cores) for cores in shares[1:]]
        self._threads = ThreadPoolExecutor(workers)
        self._expected: dict[tuple[object, ...], DesignPoint] = {}
        self._evaluated: dict[tuple[object, ...], int] = {}

    def close(self) -> None:
        """End all workers; safe to call again."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        super().close()
        for other in self._others:
            other.close()

    def prepare(self, *, scores: bool = True) -> None:
        """Do every plugin's heavy work in one worker; the others find what it made."""
        super().prepare(scores=scores)
        list(self._threads.map(lambda other: other.prepare(scores=False), self._others))

    def expect(self, points: Sequence[DesignPoint]) -> None:
        """These points will be scored on the search split next: what they lack is measured with the first of them."""
        self._expected = {point.key(): point for point in points}

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Score of one point on a split."""
        together = [point]
        if split == "search" and point.key() in self._expected:
            del self._expected[point.key()]
            together += self._expected.values()
            self._expected = {}
        self._measure(together, split)
        found = super().score(point, split)
        return replace(found, evaluated=found.evaluated + self._evaluated.pop(point.key(), 0))

    def _measure(self, points: Sequence[DesignPoint], split: str) -> None:
        """Bring the scores of points into the cache; raise only what the first of them raises.

        One worker measures a task of all points, in their order: two settings may lead to the same weights.
        """
        lacking: dict[int, list[DesignPoint]] = {}
        for point, tasks in zip(points, self.find_unmeasured(points, split), strict=True):
            for task in tasks:
                lacking.setdefault(task, []).append(point)
        if len(lacking) < 2:  # one task is one worker's work
            return
        idle: queue.SimpleQueue[RemoteProblem] = queue.SimpleQueue()
        for worker in (self, *self._others):
            idle.put(worker)

        def measure(task: int) -> list[tuple[DesignPoint, int | Exception]]:
            worker = idle.get()
            found: list[tuple[DesignPoint, int | Exception]] = []
            for point in lacking[task]:
                try:
                    found.append((point, worker.measure(point, (task,), split)))
                except Exception as error:  # the points after this one are measured when they are asked for
                    found.append((point, error))
                    break
            idle.put(worker)
            return found

        longest_first = sorted(lacking, key=lambda task: -len(lacking[task]))
        found = [one for of_task in self._threads.map(measure, longest_first) for one in of_task]
        for point, count in found:
            if isinstance(count, int):
                self._evaluated[point.key()] = self._evaluated.get(point.key(), 0) + count
        failed = [error for point, error in found if point is points[0] and isinstance(error, Exception)]
        if failed:
            raise failed[0]


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
