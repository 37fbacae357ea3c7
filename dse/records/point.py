"""A design point and what is found out about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from dse.records.facts import DataFacts
from dse.records.parameters import Parameter, Scalar
from dse.records.plugin import Kind

Value: TypeAlias = Scalar | tuple[Scalar, ...] | tuple[tuple[Scalar, ...], ...]
"""A parameter's value: a scalar, or tuples over tasks, layers, tasks then layers, or steps of an order."""


@dataclass(frozen=True, slots=True)
class DesignPoint:
    """One assignment of every active parameter.

    Attributes:
        generator: plugin name.
        compressor: plugin name.
        scheduler: plugin name.
        hardware: plugin name.
        values: value by full name ``kind.plugin.parameter``, for the four chosen plugins and no other.
    """

    generator: str
    compressor: str
    scheduler: str
    hardware: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def plugin(self, kind: Kind) -> str:
        """Name of the chosen plugin of a kind."""
        name: str = getattr(self, kind)
        return name

    def key(self) -> tuple[object, ...]:
        """Hashable identity: equal keys are the same design."""
        return (self.generator, self.compressor, self.scheduler, self.hardware, tuple(sorted(self.values.items())))


@dataclass(frozen=True, slots=True)
class PluginParameter:
    """A declared parameter with the plugin it belongs to."""

    kind: Kind
    plugin: str
    parameter: Parameter

    @property
    def full_name(self) -> str:
        """``kind.plugin.parameter``, as in space files, logs and columns ``param.*``."""
        return f"{self.kind}.{self.plugin}.{self.parameter.name}"


@dataclass(frozen=True, slots=True)
class CostResult:
    """What one point costs on its hardware.

    Attributes:
        metrics: ``area_mm2``, ``energy_uj``, ``latency_us``, ``area_ratio``, ``array_area_ratio``, ``energy_ratio``,
            ``latency_ratio``, ``offchip_mb``, ``writes`` (cells a request) and ``lifetime_years`` (None where nothing is written).
        area: mm2 by component; sums to ``area_mm2``.
        energy: uJ by component, switching included; sums to ``energy_uj``.
        violations: reasons why the point cannot be built, empty if it can; then metrics still hold.
        violation: by how much limits are exceeded, > 0 if any is.
        order: task names in the order in which they are served.
        visit_us: how long each of these visits takes.
        switch_us: how long the switch before each of them takes.
    """

    metrics: Mapping[str, float | None]
    area: Mapping[str, float]
    energy: Mapping[str, float]
    violations: tuple[str, ...] = ()
    violation: float = 0.0
    order: tuple[str, ...] = ()
    visit_us: tuple[float, ...] = ()
    switch_us: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """What one point scores on a split.

    Attributes:
        metrics: ``score_mean``, ``accuracy_drop``, ``accuracy_drop_low``, ``accuracy_drop_high``, ``accuracy_drop_all``,
            ``accuracy_drop_worst`` (drops in points, 100 = 1.0).
        tasks: score by task name.
        flagged: tasks whose score is 0 because predictions were constant.
        evaluated: task scores measured for this point; the rest came from the cache.
        baseline: the baseline's score by task name.
        layers_run: encoder layers that inputs ran on average, over the tasks whose inputs may leave early; None: no task's.
        draws: chips of non-ideal cells that scores are means over; None: arrays are ideal.
        adc_rows: rows of a task that were scored with real ADCs, at most; None: conversions are exact.
        spread: standard deviation of a task's score over several draws, by task name; then ``accuracy_drop_spread``, that of
            the drop, is among the metrics.
    """

    metrics: Mapping[str, float]
    tasks: Mapping[str, float]
    flagged: tuple[str, ...] = ()
    evaluated: int = 0
    baseline: Mapping[str, float] = field(default_factory=dict)
    layers_run: float | None = None
    draws: int | None = None
    adc_rows: int | None = None
    spread: Mapping[str, float] = field(default_factory=dict)


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
