"""What became of a trial, and everything that follows from it. No heavy imports."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What became of a trial; the value stands in the log and in the column ``status``."""

    DONE = "done"
    INFEASIBLE = "infeasible"
    STOPPED = "stopped"
    FAILED = "failed"
    DUPLICATE = "duplicate"

    @property
    def counts(self) -> bool:
        """Whether the trial counts against the budget."""
        return self is not Status.DUPLICATE

    @property
    def has_cost(self) -> bool:
        """Whether the trial was costed, so that its row has a violation of limits."""
        return self in (Status.DONE, Status.INFEASIBLE, Status.STOPPED)

    @property
    def has_objectives(self) -> bool:
        """Whether the trial's row has every objective of the study."""
        return self is Status.DONE

    @property
    def is_final(self) -> bool:
        """Whether the trial ran as far as its limits let it, so that a sampler may learn from what its row has."""
        return self in (Status.DONE, Status.INFEASIBLE)

    @property
    def may_be_on_front(self) -> bool:
        """Whether the design may be on the front."""
        return self is Status.DONE

    @property
    def shown(self) -> str:
        """What a line of progress calls trials of this status; empty where it does not count them."""
        return {Status.DONE: "", Status.DUPLICATE: "duplicates"}.get(self, self.value)

    @property
    def optuna_state(self) -> str:
        """Name of Optuna's state that a dashboard shows for a trial which is no duplicate."""
        rejected = self in (Status.INFEASIBLE, Status.STOPPED)
        return "COMPLETE" if self is Status.DONE else "PRUNED" if rejected else "FAIL"
