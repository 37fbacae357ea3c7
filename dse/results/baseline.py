"""The baseline of a study, separate 8-bit models, computed from the columns of its trials."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dse.results.status import Status

_RATIOS = {"area_mm2": "area_ratio", "energy_uj": "energy_ratio", "latency_us": "latency_ratio"}
"""Ratios to the baseline; since edition 2 of the accounting, ``<ratio>_reference`` is the ratio to that of the study's reference hardware."""
_POINTS = 100.0
_EQUAL = 1e-9
"""Largest relative difference between numbers that are equal except for rounding."""


def baseline_metrics(trials: pd.DataFrame) -> dict[str, float]:
    """Return area, energy, latency and mean score of the baseline, as far as the trials agree on them."""
    done = trials[trials["status"] == Status.DONE]
    series = {}
    for name, ratio in _RATIOS.items():
        of_reference = f"{ratio}_reference"
        divisor = of_reference if of_reference in done and done[of_reference].notna().any() else ratio
        if {name, divisor} <= set(done.columns):
            series[name] = done[name] / done[divisor]
    series["score_mean"] = done["score_mean"] + done["accuracy_drop_all"] / _POINTS
    return _take_agreed(series)


def best_metrics(trials: pd.DataFrame) -> dict[str, float]:
    """Return area, energy and latency of the baseline ``best``, if all trials have the same hardware; empty for old tables."""
    done = trials[trials["status"] == Status.DONE]
    ratios = {name: f"{ratio}_best" for name, ratio in _RATIOS.items() if f"{ratio}_best" in done}
    return _take_agreed({name: done[name] / done[ratio] for name, ratio in ratios.items()})


def _take_agreed(series: dict[str, pd.Series[float]]) -> dict[str, float]:
    """Return the value of each series whose values are equal."""
    metrics = {}
    for name, values in series.items():
        finite = values.dropna().to_numpy(np.float64)
        finite = finite[np.isfinite(finite)]
        if len(finite) and np.ptp(finite) <= _EQUAL * abs(finite[0]):
            metrics[name] = float(finite[0])
    return metrics


def baseline_scores(trials: pd.DataFrame) -> dict[str, float]:
    """Return the score of each task's separate model, or no scores if the trials do not determine them.

    Columns ``baseline.<task>`` hold the scores. Tables of older versions lack these columns. Since no task loses more than
    `accuracy_drop_worst`, every trial then bounds every task's baseline from above. The mean of the baselines follows from
    `accuracy_drop_all`. If the smallest bounds have this mean, they are the baseline scores.
    """
    if stored := agreed_values(trials, "baseline."):
        return stored
    columns = [name for name in trials.columns if name.startswith("score.")]
    scored = trials[trials["status"] == Status.DONE].dropna(subset=[*columns, "accuracy_drop_worst"])
    mean = baseline_metrics(scored).get("score_mean")
    if mean is None or not columns:
        return {}
    bounds = [float((scored[name] + scored["accuracy_drop_worst"] / _POINTS).min()) for name in columns]
    if abs(float(np.mean(bounds)) - mean) > _EQUAL:
        return {}
    return {name.removeprefix("score."): bound for name, bound in zip(columns, bounds, strict=True)}


def agreed_values(trials: pd.DataFrame, prefix: str) -> dict[str, float]:
    """Return the value of each task in columns that begin with a prefix, if all trials agree on every task's value."""
    names = [name for name in map(str, trials.columns) if name.startswith(prefix)]
    values = {name.removeprefix(prefix): trials[name].dropna().unique() for name in names}
    agreed = all(len(own) == 1 for own in values.values())
    return {task: float(own[0]) for task, own in values.items() if agreed}
