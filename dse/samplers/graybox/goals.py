"""The objectives of a study as `graybox` sees them: exact ones, which costs decide, and uncertain ones, which need scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dse.records.arrays import Floats
from dse.results.columns import SCORE_NAMES, find_metric
from dse.results.objectives import SHORT_NAMES, Objective, is_maximised
from dse.space.file import SpaceFile

_DROP = 5.0
"""Points that may be lost where the reference point does not say it."""


class Goals:
    """Values of a study's objectives.

    An exact objective is turned so that smaller is better, an uncertain one so that larger is better.

    Args:
        space: the space file, which names the objectives.
        tasks: task names, in order.
    """

    def __init__(self, space: SpaceFile, tasks: Sequence[str]) -> None:
        self._tasks, self._limits = tasks, space.reference_point
        self._exact = [item for item in space.objectives if not item.needs_score]
        self._axes = [_axis(item, self._limits) for item in self._exact]
        self._signs = [-1.0 if is_maximised(axis, self._exact) else 1.0 for axis in self._axes]
        self._uncertain = [item for item in space.objectives if item.needs_score]
        self._others: Mapping[str, Any] = {}

    @property
    def dimensions(self) -> int:
        """Number of exact objectives, D: at least 2; zeros fill up a missing one."""
        return max(len(self._exact), 2)

    @property
    def uncertain_count(self) -> int:
        """Number of uncertain objectives."""
        return len(self._uncertain)

    def exact(self, row: Mapping[str, Any]) -> Floats:
        """Return the exact objectives of a row, shape (D,); infinite where one has no value."""
        values = np.zeros(self.dimensions)
        for at, (item, axis) in enumerate(zip(self._exact, self._axes, strict=True)):
            try:
                value = item.value(row) if axis == item.column else row.get(axis)
            except ValueError:
                value = None
            values[at] = np.inf if value is None else self._signs[at] * float(value)
        return values

    def uncertain(self, row: Mapping[str, Any]) -> Floats:
        """Return the uncertain objectives of a scored row, shape (U,), or 1 without any.

        Raises:
            ValueError: an objective has no value.
        """
        return np.array([_turn(item, item.value(row)) for item in self._uncertain] or [1.0])

    def learn(self, row: Mapping[str, Any]) -> None:
        """Remember a scored row: columns that depend on scores and are not predicted keep its values."""
        names = (name for item in self._uncertain if item.expression for name in item.expression.columns)
        scored = {name for name in names if (metric := find_metric(name)) and metric.needs_score}
        self._others = {name: row.get(name) for name in scored}

    def expect(self, rows: Sequence[Mapping[str, Any]], means: Floats, deviations: Floats, baseline: float) -> Any:
        """Return expected values of the uncertain objectives and their standard deviations, shape (P, U) each.

        An expression is taken as linear in the scores: its deviation is half of its change between scores that lie one
        deviation below and above their expectation. All drops are taken as the drop of the mean score.

        Args:
            rows: costs and parameters of P designs, by column.
            means: expected scores, shape (P, T).
            deviations: standard deviations of the scores, shape (P, T).
            baseline: mean score of the baseline.
        """
        mean, deviation = means.mean(axis=1), np.sqrt((deviations**2).sum(axis=1)) / means.shape[1]
        expected, spread = np.empty((2, len(rows), len(self._uncertain)))
        for place, item in enumerate(self._uncertain):
            if item.column == SHORT_NAMES["accuracy"]:
                expected[:, place], spread[:, place] = mean, deviation
                continue
            for at, row in enumerate(rows):
                low, expected[at, place], high = (
                    self._guess(item, row, mean[at] + step * deviation[at], means[at] + step * deviations[at], baseline)
                    for step in (-1, 0, 1)
                )
                spread[at, place] = abs(high - low) / 2
        lowest = np.nan_to_num(np.fmin.reduce(expected, axis=0))  # what has no value is as bad as the worst
        return np.where(np.isnan(expected), lowest, expected), np.nan_to_num(spread)

    def _guess(self, item: Objective, row: Mapping[str, Any], mean: float, scores: Floats, baseline: float) -> float:
        drops = {name: 100 * (baseline - mean) for name in SCORE_NAMES if name.startswith("accuracy_drop")}
        by_task = {f"score.{task}": float(score) for task, score in zip(self._tasks, scores, strict=True)}
        try:
            return _turn(item, item.value({**row, **self._others, **drops, **by_task, "score_mean": float(mean)}))
        except ValueError:
            return np.nan

    def scale(self, measured: Floats) -> tuple[Floats, Floats]:
        """Return units of the exact objectives, and the worst value that counts in these units, shape (D,) each.

        The worst value is that of the reference point. If no design keeps it, or the point does not name the objective, the
        worst value is a little beyond the worst design.

        Args:
            measured: exact objectives of measured designs, shape (K, D).
        """
        largest = measured.max(axis=0)
        worst = np.where(largest > 0, 1.1 * largest, np.where(largest < 0, 0.9 * largest, 1.0))
        for at, axis in enumerate(self._axes):
            limit = self._signs[at] * self._limits.get(axis, np.inf)
            if np.isfinite(limit) and measured[:, at].min() < limit:
                worst[at] = limit
        unit = np.where(worst == 0, np.maximum(np.abs(measured).max(axis=0), 1e-300), np.abs(worst))
        return unit, worst / unit

    def worst_score(self, baseline: float) -> float:
        """Return the worst mean score that counts; 0 without uncertain objectives."""
        return baseline - self._limits.get("accuracy_drop", _DROP) / 100 if self._uncertain else 0.0

    def worst(self, turn: int, measured: Floats, baseline: float) -> float:
        """Return the worst value that counts of an uncertain objective.

        Args:
            turn: number of the objective.
            measured: its values for measured designs, shape (K,).
            baseline: mean score of the baseline.
        """
        if not self._uncertain:
            return 0.0
        item = self._uncertain[turn]
        if item.column in self._limits:
            return _turn(item, self._limits[item.column])
        if item.column == SHORT_NAMES["accuracy"]:
            return self.worst_score(baseline)
        smallest = float(measured.min())
        return smallest - 0.1 * (abs(smallest) or 1.0)


def _turn(item: Objective, value: float) -> float:
    """Return a value so that larger is better."""
    return value if item.maximise else -value


def _axis(item: Objective, limits: Mapping[str, float]) -> str:
    """Return the column of an exact objective: one that measures it in the reference point, if there is one."""
    metric = find_metric(item.column) if item.is_usual and item.own_reference is None else None
    return next((name for name in (metric.measured_by if metric else ()) if name in limits), item.column)
