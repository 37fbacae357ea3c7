"""Ledger of a study, kept up to date trial by trial, whether replayed from the log or just finished."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dse.records.design import DesignPoint
from dse.results.pareto import RunningFront
from dse.results.status import Status
from dse.samplers.suggester import Told
from dse.space.searchspace import SearchSpace
from dse.study.observer import Progress

PATIENCE = 50
"""Duplicates in a row after which a random unseen design is tried; halved each time that this did not help the sampler."""


@dataclass
class Patience:
    """How long a sampler may repeat itself before a random unseen design is tried.

    Attributes:
        in_a_row: known designs since the last new design.
        fallbacks: random unseen designs since the last new design of the sampler.
    """

    in_a_row: int = 0
    fallbacks: int = 0

    @property
    def is_lost(self) -> bool:
        """Whether the sampler has repeated itself long enough."""
        return self.in_a_row >= max(PATIENCE >> self.fallbacks, 1)

    def describe(self, number: int) -> str:
        """Say why a trial is a random design."""
        return f"the sampler proposed {self.in_a_row} known designs in a row: trial {number} is a random unseen one"

    def see_new(self, source: str) -> None:
        """Take in a new design of a source."""
        self.in_a_row = 0
        if source == "random":
            self.fallbacks += 1
        elif source == "sampler":
            self.fallbacks = 0


class Ledger:
    """Counts, designs seen, and the front.

    Args:
        space: the resolved search space.
        total: the budget.

    Attributes:
        seen: number of the first trial of each design, by the key of the design.
        patience: patience with a sampler that repeats itself.
        refused: proposals that broke a limit of the hardware; they leave no trial.
    """

    def __init__(self, space: SearchSpace, total: int) -> None:
        self._objectives = space.file.objectives
        self._tasks = len(space.tasks)
        self._size = space.size
        self._total = total
        self._front = RunningFront([item.maximise for item in self._objectives])
        self._best: dict[str, float] = {}
        self._told: list[Told] = []
        self._counts = dict.fromkeys(Status, 0)
        self.patience = Patience()
        self.refused = 0
        self._measured = 0
        self._cached = 0
        self._restored = 0
        self.seen: dict[tuple[object, ...], int] = {}

    @property
    def trials(self) -> int:
        """Trials recorded, duplicates included; also the next trial's number."""
        return len(self._told)

    @property
    def evaluated(self) -> int:
        """Trials that count against the budget."""
        return sum(count for status, count in self._counts.items() if status.counts)

    @property
    def failed(self) -> int:
        """Trials that raised an exception."""
        return self._counts[Status.FAILED]

    @property
    def is_exhausted(self) -> bool:
        """Whether every design of the space has been evaluated."""
        return len(self.seen) >= self._size

    def recall(self, number: int) -> Told:
        """Return the result that the sampler learned of a trial."""
        return self._told[number]

    def record(self, row: Mapping[str, Any], result: Told, point: DesignPoint | None) -> None:
        """Take in a finished trial.

        Args:
            row: the trial's values by column.
            result: part of the result that the sampler learns.
            point: the trial's design, None if it lies outside the space.
        """
        self._told.append(result)
        status = Status(row["status"])
        self._counts[status] += 1
        if status is Status.DUPLICATE:
            self.patience.in_a_row += 1
            return
        self.patience.see_new(row["source"])
        if point is not None and status is not Status.STALE:
            self.seen[point.key()] = row["trial"]
        if row.get("evaluated_tasks") is not None:
            self._measured += row["evaluated_tasks"]
            self._cached += self._tasks - row["evaluated_tasks"]
        if status is Status.DONE and result.values is not None:
            self._take(result)

    def repeat(self, count: int = 1) -> None:
        """Count proposals of known designs that leave no trial."""
        self._counts[Status.DUPLICATE] += count

    def forget_results(self) -> None:
        """Treat the results of all trials so far as stale."""
        self.seen.clear()
        self._best.clear()
        self._front = RunningFront([item.maximise for item in self._objectives])
        for status in Status:
            if status.has_cost and status is not Status.STALE:
                self._counts[Status.STALE] += self._counts[status]
                self._counts[status] = 0

    def beats(self, values: Sequence[float]) -> bool:
        """Return whether a design on the front is at least as good in every objective."""
        return self._front.beats(values)

    def forget_failures(self, rows: Mapping[int, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Let failed designs be evaluated again; return their rows, by trial number.

        Args:
            rows: all rows by trial number.
        """
        failed = {key: number for key, number in self.seen.items() if rows[number]["status"] == Status.FAILED}
        for key in failed:
            del self.seen[key]
        return [rows[number] for number in sorted(failed.values())]

    def mark_restored(self) -> None:
        """Remember how many trials came from the log."""
        self._restored = self.evaluated

    def progress(self) -> Progress:
        """Return the progress of the study."""
        return Progress(
            evaluated=self.evaluated,
            total=self._total,
            restored=self._restored,
            counts=dict(self._counts),
            front=len(self._front),
            best=dict(self._best),
            measured=self._measured,
            cached=self._cached,
            space_size=self._size,
            refused=self.refused,
        )

    def _take(self, told: Told) -> None:
        assert told.values is not None
        self._front.add(told.values)
        for item, value in zip(self._objectives, told.values, strict=True):
            best = self._best.get(item.column)
            if best is None or (value > best if item.maximise else value < best):
                self._best[item.column] = value
