"""Cost and scores of a design."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

BaselineCosts: TypeAlias = dict[str, dict[str, float | None]]
"""Costs of baselines by column, by the baseline's name."""


@dataclass(frozen=True, slots=True)
class CostResult:
    """Cost of one design on its hardware.

    Attributes:
        metrics: ``area_mm2``, ``energy_uj``, ``latency_us``, ``area_ratio``, ``array_area_ratio``, ``energy_ratio``,
            ``latency_ratio``, ``offchip_mb``, ``writes`` (cells per request) and ``lifetime_years`` (None where nothing is
            written).
        area: area by component, mm2; sums to ``area_mm2``.
        energy: energy by component, uJ, switching included; sums to ``energy_uj``.
        violations: reasons why the design cannot be built, empty if it can; metrics hold in both cases.
        violation: amount by which limits are exceeded, > 0 if any limit is.
        order: task names in the order in which they are served.
        visit_us: time of each of these visits.
        switch_us: time of the switch before each visit.
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
    """Scores of one design on a split.

    Attributes:
        metrics: ``score_mean``, ``accuracy_drop``, ``accuracy_drop_low``, ``accuracy_drop_high``, ``accuracy_drop_all``,
            ``accuracy_drop_worst`` (drops in points, 100 = 1.0).
        tasks: score by task name.
        flagged: tasks whose score is 0 because predictions were constant.
        evaluated: number of task scores measured for this design; the rest came from the cache.
        baseline: the baseline's score by task name.
        chance: score of the best constant answer by task name.
        drop_low: lower end of the 95 % interval of the points that a task loses, by task name.
        drop_high: upper end of this interval, by task name.
        layers_run: mean number of encoder layers that inputs ran, over tasks with early exits; None: no task has them.
        reach: share of inputs that ran each encoder layer in scoring, by name of a task with early exits.
        draws: number of chips of non-ideal cells that scores are means over; None: arrays are ideal.
        adc_rows: largest number of a task's rows that were scored with real ADCs; None: conversions are exact.
        spread: standard deviation of a task's score over several draws, by task name; then ``accuracy_drop_spread``, the
            deviation of the drop, is among the metrics.
    """

    metrics: Mapping[str, float]
    tasks: Mapping[str, float]
    flagged: tuple[str, ...] = ()
    evaluated: int = 0
    baseline: Mapping[str, float] = field(default_factory=dict)
    chance: Mapping[str, float] = field(default_factory=dict)
    drop_low: Mapping[str, float] = field(default_factory=dict)
    drop_high: Mapping[str, float] = field(default_factory=dict)
    layers_run: float | None = None
    reach: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    draws: int | None = None
    adc_rows: int | None = None
    spread: Mapping[str, float] = field(default_factory=dict)
