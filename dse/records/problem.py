"""The problem that a search solves, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from dse.records.data_facts import DataFacts
from dse.records.design import DesignPoint, PluginParameter
from dse.records.scored import CostResult, ScoreResult


class Problem(Protocol):
    """What a search needs to know: parameters, exact cost in batches, and scores of one point at a time."""

    @property
    def parameters(self) -> tuple[PluginParameter, ...]:
        """Declared parameters of every plugin the study names, permutations included."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names, in order."""

    @property
    def layers(self) -> int:
        """Encoder layers."""

    @property
    def components(self) -> tuple[str, ...]:
        """Every component name any of the study's hardware models charges area or energy to."""

    @property
    def joint(self) -> tuple[str, ...]:
        """Generators under which a task's score depends on the parameters of all tasks."""

    @property
    def data(self) -> tuple[DataFacts, ...]:
        """What became of every task's rows."""

    def prepare(self, *, scores: bool) -> None:
        """Do every plugin's heavy work (cached), and measure the baseline's scores if any will be needed."""

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        """Cost of many points, in the order given; microseconds a point."""

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Score of one point on the search split, or the report split; seconds, cached per task by recipe."""

    def layer_scores(self) -> tuple[tuple[float, ...], ...]:
        """Baseline's score on the search split, by task, when one layer after the other has the base's matrices; cached."""


@runtime_checkable
class Foresighted(Protocol):
    """A problem that can measure several points side by side if it knows which will be asked for."""

    def expect(self, points: Sequence[DesignPoint]) -> None:
        """These points will be scored on the search split next, in this order."""
