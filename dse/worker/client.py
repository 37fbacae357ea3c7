"""The study's side of a worker: a problem that another process evaluates. After a worker's death the request is made once more."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from dse.errors import TimeLimitError, WorkerError
from dse.records.baseline_facts import BaselineFacts
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.data_facts import DataFacts
from dse.records.design import DesignPoint, PluginParameter
from dse.records.scored import BaselineCosts, CostResult, ScoreResult
from dse.score.entries import Entry
from dse.score.exchange import Missing
from dse.space.searchspace import SearchSpace
from dse.study.load import Request
from dse.study.provenance import Provenance
from dse.worker.process import Worker
from dse.worker.serve import LOAD


class RemoteProblem:
    """Problem of a space file that a worker process evaluates; implements `dse.records.problem.Problem`.

    A worker that dies is replaced, and the call is made once more: memory that ran out, or a process that someone ended,
    says nothing about a design. If the second worker dies too, or a worker is silent for longer than
    ``search.time_limit_s``, the call raises, and the next call starts another worker. Close the problem, or use it as a
    context manager.

    Args:
        request: space file and options of the problem to load.
        activity: callback for downloads and fine-tuning.
        cores: cores that the worker runs on; empty: all cores.

    Attributes:
        space: the resolved search space.
        provenance: origin of plugins and data.

    Raises:
        WorkerError: the worker died while it loaded the problem.
        TimeLimitError: the worker was silent for too long.
    """

    def __init__(
        self, request: Request, activity: ProgressCallback | None = None, *, cores: Sequence[int] = ()
    ) -> None:
        self._request, self._cores = request, tuple(cores)
        self._activity = activity or ignore_progress
        self._worker: Worker | None = None
        self._prepared: bool | None = None
        self._closed = False
        self.space, self.provenance = self._load()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the worker."""
        self.close()

    def close(self) -> None:
        """End the worker, also while it answers another thread; safe to call again."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        worker, self._worker = self._worker, None  # forgotten first, whatever its end raises
        if worker is not None:
            worker.end()

    @property
    def parameters(self) -> tuple[PluginParameter, ...]:
        """Declared parameters of every plugin that the study names."""
        return tuple(item.declared for item in self.space.parameters)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in order."""
        return self.space.tasks

    @property
    def layers(self) -> int:
        """Number of encoder layers."""
        return self.space.layers

    @cached_property
    def components(self) -> tuple[str, ...]:
        """Names of all components that the study's hardware models charge."""
        return tuple(self._ask("components"))

    @cached_property
    def joint(self) -> tuple[str, ...]:
        """Names of the generators that make a task's score depend on the parameters of all tasks."""
        return tuple(self._ask("joint"))

    @cached_property
    def data(self) -> tuple[DataFacts, ...]:
        """Facts about every task's rows: how many were read, dropped and kept."""
        return tuple(self._ask("data"))

    @property
    def digests(self) -> dict[str, str]:
        """Content hashes of all that results depend on, by name, as far as they are available."""
        return dict(self._ask("digests"))

    def baselines(self, *, ready: bool = False) -> tuple[BaselineFacts, ...]:
        """Describe each task's baseline on the search split; with ``ready``, of tasks with a ready checkpoint alone."""
        facts: tuple[BaselineFacts, ...] = self._ask("baselines", ready=ready)
        return facts

    def prepare(self, *, scores: bool = True) -> None:
        """Do every plugin's heavy work, in this worker and in every later one."""
        self._prepared = scores
        self._ask("prepare", scores=scores)

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        """Cost many designs, in the given order."""
        return list(self._ask("cost", points))

    def cost_measured(self, point: DesignPoint, reach: Mapping[str, tuple[float, ...]]) -> CostResult:
        """Return the cost of a design whose inputs run each layer in these shares, by task."""
        result: CostResult = self._ask("cost_measured", point, reach)
        return result

    def compare(self, points: Sequence[DesignPoint], throughput_rps: Sequence[float | None]) -> list[BaselineCosts]:
        """Return each baseline's cost by column, on each design's own hardware, by the baseline's name."""
        return list(self._ask("compare", points, throughput_rps))

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Score one design on a split."""
        result: ScoreResult = self._ask("score", point, split)
        return result

    def find_unmeasured(self, points: Sequence[DesignPoint], split: str = "search") -> tuple[tuple[int, ...], ...]:
        """Return the tasks of each design whose score is neither in the cache nor missing at an earlier design."""
        return tuple(self._ask("find_unmeasured", tuple(points), split))

    def find_missing(self, points: Sequence[DesignPoint], split: str = "search") -> tuple[tuple[Missing, ...], ...]:
        """Return the scores of each design that are neither in the cache nor missing at an earlier design."""
        return tuple(self._ask("find_missing", tuple(points), split))

    def compute(self, point: DesignPoint, task: int, split: str, chip: int) -> Entry:
        """Score a task on one chip for another machine."""
        entry: Entry = self._ask("compute", point, task, split, chip)
        return entry

    def accept(self, point: DesignPoint, task: int, split: str, chip: int, entry: Entry) -> None:
        """Store a score that another machine computed, if it is that score."""
        self._ask("accept", point, task, split, chip, entry)

    def digest_outputs(self) -> str:
        """Return a hash of the outputs of a known task, as this machine computes them."""
        return str(self._ask("digest_outputs"))

    def measure(self, point: DesignPoint, tasks: Sequence[int], split: str = "search") -> int:
        """Bring a design's scores on some tasks into the cache; return the number of evaluated tasks."""
        return int(self._ask("measure", point, tuple(tasks), split))

    def layer_scores(self) -> tuple[tuple[float, ...], ...]:
        """Return the baseline's scores, shape (T, L), if one layer of a task has the base's matrices."""
        return tuple(self._ask("layer_scores"))

    def _load(self) -> tuple[SearchSpace, Provenance]:
        try:
            limit_s = self._request.space.search.time_limit_s
            self._worker = Worker(limit_s, self._activity, limit="search.time_limit_s", cores=self._cores)
            space, provenance = self._worker.ask(LOAD, self._request)
        except BaseException:
            self._end()
            raise
        return space, provenance

    def _ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        try:
            return self._ask_once(name, *arguments, **named)
        except WorkerError:
            if self._closed:
                raise
            self._activity(f"the worker died while it did: {name}; another one tries again", 1.0)
            return self._ask_once(name, *arguments, **named)

    def _ask_once(self, name: str, *arguments: Any, **named: Any) -> Any:
        if self._worker is None:
            self._load()
            if self._prepared is not None and name != "prepare":
                self._ask_once("prepare", scores=self._prepared)
        assert self._worker is not None
        try:
            return self._worker.ask(name, *arguments, **named)
        except (WorkerError, TimeLimitError, KeyboardInterrupt):
            self._end()
            raise
