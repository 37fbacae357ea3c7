"""Outcomes of a trial and the facts that follow from each. This module has no heavy imports."""

from enum import StrEnum


class Status(StrEnum):
    """Outcome of a trial; the log and the column ``status`` hold its value."""

    DONE = "done"
    INFEASIBLE = "infeasible"
    STOPPED = "stopped"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    STALE = "stale"
    """Outcome under conditions that have changed since: the study was forced to continue. The log holds the old status."""

    @property
    def counts(self) -> bool:
        """Whether the trial counts against the budget."""
        return self is not Status.DUPLICATE

    @property
    def has_cost(self) -> bool:
        """Whether the trial was costed, so that its row has a violation of limits."""
        return self in (Status.DONE, Status.INFEASIBLE, Status.STOPPED, Status.STALE)

    @property
    def is_final(self) -> bool:
        """Whether the trial ran as far as its limits allow, so that a sampler may learn from its row."""
        return self in (Status.DONE, Status.INFEASIBLE)

    @property
    def shown(self) -> str:
        """Word for trials of this status in a line of progress; empty if the line does not count them."""
        return {Status.DONE: "", Status.DUPLICATE: "duplicates"}.get(self, self.value)

    @property
    def optuna_state(self) -> str:
        """Name of Optuna's state that a dashboard shows for a trial that is not a duplicate."""
        rejected = self in (Status.INFEASIBLE, Status.STOPPED, Status.STALE)
        return "COMPLETE" if self is Status.DONE else "PRUNED" if rejected else "FAIL"
