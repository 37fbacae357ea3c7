"""The baseline of a study, separate 8-bit models, worked out from what its trials say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dse.results.status import Status

if TYPE_CHECKING:
    import pandas as pd

_RATIOS = {"area_mm2": "area_ratio", "energy_uj": "energy_ratio", "latency_us": "latency_ratio"}
_POINTS = 100.0
_EQUAL = 1e-9
"""Largest relative difference between numbers that are equal but for rounding."""


def baseline_metrics(trials: pd.DataFrame) -> dict[str, float]:
    """Area, energy, latency and mean score of the baseline, those that trials tell without contradiction."""
    done = trials[trials["status"] == Status.DONE]
    told = {name: done[name] / done[ratio] for name, ratio in _RATIOS.items() if {name, ratio} <= set(done.columns)}
    told["score_mean"] = done["score_mean"] + done["accuracy_drop_all"] / _POINTS
    found = {}
    for name, values in told.items():
        known = values.dropna().to_numpy(np.float64)
        known = known[np.isfinite(known)]
        if len(known) and np.ptp(known) <= _EQUAL * abs(known[0]):
            found[name] = float(known[0])
    return found


def baseline_scores(trials: pd.DataFrame) -> dict[str, float]:
    """Score of each task's separate model, or nothing where the trials do not settle them.

    No task loses more than `accuracy_drop_worst`, so every trial bounds every task's baseline from above. The mean of the
    baselines follows from `accuracy_drop_all`. Where the mean of the least bounds is no larger, all of them are reached.
    """
    columns = [name for name in trials.columns if name.startswith("score.")]
    scored = trials[trials["status"] == Status.DONE].dropna(subset=[*columns, "accuracy_drop_worst"])
    mean = baseline_metrics(scored).get("score_mean")
    if mean is None or not columns:
        return {}
    bounds = [float((scored[name] + scored["accuracy_drop_worst"] / _POINTS).min()) for name in columns]
    if abs(float(np.mean(bounds)) - mean) > _EQUAL:
        return {}
    return {name.removeprefix("score."): bound for name, bound in zip(columns, bounds, strict=True)}
