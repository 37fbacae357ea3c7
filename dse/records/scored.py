"""What a design costs and what it scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
