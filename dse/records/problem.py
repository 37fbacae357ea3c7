"""The problem that a search solves, as a protocol."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from dse.records.baseline_facts import BaselineFacts
from dse.records.data_facts import DataFacts
from dse.records.design import DesignPoint, PluginParameter
from dse.records.scored import BaselineCosts, CostResult, ScoreResult


class Problem(Protocol):
    """Problem of a search: parameters, exact costs of many designs at once, and the score of one design at a time."""

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
        """Names of all components that the study's hardware models charge area or energy to."""

    @property
    def joint(self) -> tuple[str, ...]:
        """Generators under which a task's score depends on the parameters of all tasks."""

    @property
    def data(self) -> tuple[DataFacts, ...]:
        """Facts about every task's rows."""

    def prepare(self, *, scores: bool) -> None:
        """Do every plugin's heavy work (cached), and measure the baseline's scores if ``scores``."""

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        """Return the costs of many designs, in the order given, in microseconds per design."""

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """Return the score of one design on the search or the report split, in seconds; cached per task."""

    def layer_scores(self) -> tuple[tuple[float, ...], ...]:
        """Return the baseline's scores (T, L) on the search split when one layer has the base's matrices; cached."""


@runtime_checkable
class WithBaselines(Protocol):
    """A problem that can describe the baseline of its tasks."""

    def baselines(self, *, ready: bool) -> tuple[BaselineFacts, ...]:
        """Describe each task's baseline on the search split; with ``ready``, of tasks with a ready checkpoint alone."""


@runtime_checkable
class WithComparisons(Protocol):
    """A problem that knows absolute costs of baselines, for a table beside the trials."""

    def compare(self, points: Sequence[DesignPoint], throughput_rps: Sequence[float | None]) -> list[BaselineCosts]:
        """Return each baseline's cost by column, on each design's own hardware, by the baseline's name.

        Args:
            points: designs.
            throughput_rps: their requests per second; None where the hardware model does not say.
        """


@runtime_checkable
class WithMeasuredExits(Protocol):
    """A problem that can charge early exits by what inputs did in scoring."""

    def cost_measured(self, point: DesignPoint, reach: Mapping[str, tuple[float, ...]]) -> CostResult:
        """Return the cost of a design whose inputs run each layer in these shares, by task; see `ScoreResult.reach`."""


@runtime_checkable
class WithDigests(Protocol):
    """A problem that knows more content hashes once it is prepared."""

    @property
    def digests(self) -> dict[str, str]:
        """Content hashes of all that results depend on, by name, as far as they are available."""


@runtime_checkable
class Foresighted(Protocol):
    """A problem that can score several designs side by side if it knows the next ones."""

    def expect(self, points: Sequence[DesignPoint], split: str = "search") -> None:
        """Announce the designs that will be scored on a split next, in this order."""
