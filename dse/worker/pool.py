"""Several workers that share the tasks of a design."""

import queue
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dse.errors import SetupError
from dse.records.callbacks import ProgressCallback
from dse.records.design import DesignPoint
from dse.study.load import Request
from dse.threads import list_cores
from dse.worker.ahead import ExpectingProblem
from dse.worker.client import RemoteProblem


class SharedProblem(ExpectingProblem):
    """The problem of a space file, in several workers, each on its own cores.

    The first worker answers every call. Before a design is scored, the workers share its missing tasks, and those of the
    designs expected next. They leave the scores in their common cache, so nothing is evaluated twice, and the answer
    equals that of a single worker.

    Args:
        request: space file and options of the problem to load.
        activity: callback for downloads and fine-tuning.
        workers: number of workers, at least 2.

    Raises:
        SetupError: there are fewer cores than workers.
    """

    def __init__(self, request: Request, activity: ProgressCallback | None = None, *, workers: int) -> None:
        shares = cores_of(workers)
        super().__init__(request, activity, cores=shares[0])
        self._others = [RemoteProblem(request, cores=cores) for cores in shares[1:]]
        self._threads = ThreadPoolExecutor(workers)

    def close(self) -> None:
        """End all workers; safe to call again."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        super().close()
        for other in self._others:
            other.close()

    def prepare(self, *, scores: bool = True) -> None:
        """Do every plugin's heavy work in one worker; the others find the results in the cache."""
        super().prepare(scores=scores)
        list(self._threads.map(lambda other: other.prepare(scores=False), self._others))

    def _measure(self, points: Sequence[DesignPoint], split: str) -> None:
        """Bring the scores of designs into the cache; raise only errors of the first design.

        One worker measures a task of all designs in order, since two designs may lead to the same weights.
        """
        lacking: dict[int, list[DesignPoint]] = {}
        for point, tasks in zip(points, self.find_unmeasured(points, split), strict=True):
            for task in tasks:
                lacking.setdefault(task, []).append(point)
        if len(lacking) < 2:  # one worker suffices for one task
            return
        idle: queue.SimpleQueue[RemoteProblem] = queue.SimpleQueue()
        for worker in (self, *self._others):
            idle.put(worker)

        def measure(task: int) -> list[tuple[DesignPoint, int | Exception]]:
            worker = idle.get()
            outcomes: list[tuple[DesignPoint, int | Exception]] = []
            for point in lacking[task]:
                try:
                    outcomes.append((point, worker.measure(point, (task,), split)))
                except Exception as error:  # later designs are measured when they are scored
                    outcomes.append((point, error))
                    break
            idle.put(worker)
            return outcomes

        longest_first = sorted(lacking, key=lambda task: -len(lacking[task]))
        outcomes = [one for of_task in self._threads.map(measure, longest_first) for one in of_task]
        for point, count in outcomes:
            if isinstance(count, int):
                self._evaluated[point.key()] = self._evaluated.get(point.key(), 0) + count
        failed = [error for point, error in outcomes if point is points[0] and isinstance(error, Exception)]
        if failed:
            raise failed[0]


def cores_of(workers: int) -> list[list[int]]:
    """Share the cores that this process may use among workers.

    Raises:
        SetupError: there are fewer cores than workers.
    """
    usable = list_cores()
    if workers > len(usable):
        raise SetupError(
            "there are fewer cores than workers", where="--workers", expected=f"at most {len(usable)}", found=workers
        )
    return [usable[at * len(usable) // workers : (at + 1) * len(usable) // workers] for at in range(workers)]
