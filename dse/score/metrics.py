"""Accuracy drops: points lost to the baseline, with a paired bootstrap interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

POINTS = 100.0
"""Points in a score of 1."""
MEASURABLE = 0.03
"""A task counts where its baseline beats chance by more than this."""


def drops(
    scores: Mapping[str, float],
    baseline: Mapping[str, float],
    chance: Mapping[str, float],
    resampled: Mapping[str, NDArray[Any]],
    resampled_baseline: Mapping[str, NDArray[Any]],
) -> dict[str, float]:
    """Summarise what a design loses to the baseline.

    Args:
        scores: by task.
        baseline: likewise, of the baseline.
        chance: score of a constant prediction, by task.
        resampled: (draws,) bootstrap scores by task.
        resampled_baseline: likewise of the baseline, over the same resamples, so that differences are paired.

    Returns:
        ``score_mean``; ``accuracy_drop`` with its 95 % interval ``accuracy_drop_low`` and ``accuracy_drop_high``, the mean
        over tasks whose baseline beats chance by more than 3 points; ``accuracy_drop_all`` over all tasks;
        ``accuracy_drop_worst`` of a single task. Drops are in points (100 = 1.0).
    """
    lost = {name: POINTS * (baseline[name] - score) for name, score in scores.items()}
    measurable = count_measurable(baseline, chance)
    draws = np.mean([POINTS * (resampled_baseline[name] - resampled[name]) for name in measurable], axis=0)
    low, high = np.quantile(draws, (0.025, 0.975))
    return {
        "score_mean": float(np.mean(list(scores.values()))),
        "accuracy_drop": float(np.mean([lost[name] for name in measurable])),
        "accuracy_drop_low": float(low),
        "accuracy_drop_high": float(high),
        "accuracy_drop_all": float(np.mean(list(lost.values()))),
        "accuracy_drop_worst": float(max(lost.values())),
    }


def count_measurable(baseline: Mapping[str, float], chance: Mapping[str, float]) -> list[str]:
    """Tasks whose baseline beats chance by more than 3 points; all, where none does."""
    return [name for name in baseline if baseline[name] - chance[name] > MEASURABLE] or list(baseline)
