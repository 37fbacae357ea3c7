"""Observers of a running study. The library itself never prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dse.results.status import Status


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a study.

    Attributes:
        evaluated: trials that count against the budget: done, infeasible, stopped and failed.
        total: the budget.
        restored: evaluated trials that were read from the log.
        counts: number of trials by status.
        front: number of designs on the front so far.
        best: best value so far of each objective, by column.
        measured: number of task scores measured so far.
        cached: number of task scores that came from the cache.
        space_size: number of different designs in the space.
        refused: number of proposals that broke a limit of the hardware; they leave no trial.
    """

    evaluated: int
    total: int
    restored: int = 0
    counts: Mapping[Status, int] = field(default_factory=dict)
    front: int = 0
    best: Mapping[str, float] = field(default_factory=dict)
    measured: int = 0
    cached: int = 0
    space_size: float = 0.0
    refused: int = 0

    @property
    def duplicates(self) -> int:
        """Proposals of a design that was evaluated before."""
        return self.counts.get(Status.DUPLICATE, 0)

    @property
    def stopped(self) -> int:
        """Trials that could not reach the front."""
        return self.counts.get(Status.STOPPED, 0)

    @property
    def failed(self) -> int:
        """Trials that raised."""
        return self.counts.get(Status.FAILED, 0)


class Observer:
    """Follows a study; a subclass overrides the methods that it needs, and ignores the rest."""

    def on_start(self, progress: Progress) -> None:
        """Follow the start: the log is read and everything is checked; heavy preparation comes next."""

    def on_ready(self) -> None:
        """Follow the end of preparation; the first trial comes next."""

    def on_ask(self, trial: int, source: str) -> None:
        """Follow a new trial that is about to be evaluated."""

    def trial(self, progress: Progress, row: Mapping[str, Any]) -> None:
        """Follow a trial that is finished and safe in the log."""

    def note(self, message: str) -> None:
        """Take a message for a person: a repair, a fallback, a change of versions."""

    def on_finish(self, progress: Progress, reason: str) -> None:
        """Follow the end: no more trials come, for a reason; the results are written."""


class NullObserver(Observer):
    """Ignores everything."""
