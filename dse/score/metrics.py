"""Metrics of a design's score, and the points that the design loses to the baseline."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.records.nonideality import Nonideality
from dse.records.scored import ScoreResult
from dse.score.context import Outcome

Resampled: TypeAlias = Callable[[str, Outcome], NDArray[Any]]
"""Bootstrap scores of a task's outcome."""
POINTS = 100.0
"""Points in a score of 1."""
INTERVAL = (0.025, 0.975)
"""Quantiles at the ends of a 95 % interval."""
MEASURABLE = 0.03
"""A task counts if its baseline beats chance by more than this score."""


def summary(
    outcomes: Mapping[str, tuple[Outcome, ...]],
    baseline: Mapping[str, Outcome],
    chance: Mapping[str, float],
    resampled: Resampled,
    nonideality: Nonideality | None,
    evaluated: int,
    rates: Mapping[str, float],
    counted: Sequence[str] = (),
) -> ScoreResult:
    """Summarise a design's scores; scores of several draws become their mean and standard deviation.

    Args:
        outcomes: outcome of each draw, by task.
        baseline: outcome of the baseline on the same rows, by task.
        chance: score of a constant prediction, by task.
        resampled: function that gives bootstrap scores.
        nonideality: non-idealities of the scored arrays, or None.
        evaluated: number of task scores that had to be measured.
        rates: share of requests, by task.
        counted: names of the tasks that count; empty: those that `count_measurable` finds here.
    """
    scores = {name: np.array([outcome.value for outcome in draws]) for name, draws in outcomes.items()}
    means = {name: float(values.mean()) for name, values in scores.items()}
    base = {name: outcome.value for name, outcome in baseline.items()}
    lost_again = {
        name: POINTS * (resampled(name, baseline[name]) - np.mean([resampled(name, one) for one in draws], axis=0))
        for name, draws in outcomes.items()
    }
    counted = counted or count_measurable(base, chance)
    metrics = drops(means, base, counted, lost_again, rates)
    ends = {name: np.quantile(points, INTERVAL) for name, points in lost_again.items()}
    spread = {}
    if nonideality is not None and nonideality.draws > 1:
        spread = {name: float(values.std(ddof=1)) for name, values in scores.items()}
        lost = np.mean([POINTS * (base[name] - scores[name]) for name in counted], axis=0)
        metrics["accuracy_drop_spread"] = float(lost.std(ddof=1))
    runs = [[outcome.layers_run for outcome in draws] for draws in outcomes.values()]
    early = [float(np.mean(of_task)) for of_task in runs if not np.isnan(of_task[0])]
    real = nonideality is not None and nonideality.adc != "ideal"
    rows = max(len(one.predictions) for one in baseline.values()) if real else None
    return ScoreResult(
        metrics=metrics,
        tasks=means,
        flagged=tuple(name for name, draws in outcomes.items() if any(outcome.flagged for outcome in draws)),
        evaluated=evaluated,
        baseline=base,
        chance=chance,
        drop_low={name: float(low) for name, (low, _) in ends.items()},
        drop_high={name: float(high) for name, (_, high) in ends.items()},
        layers_run=float(np.mean(early)) if early else None,
        reach={
            name: tuple(np.mean([outcome.reach for outcome in draws], axis=0).tolist())
            for name, draws in outcomes.items()
            if draws[0].reach
        },
        draws=None if nonideality is None else nonideality.draws,
        adc_rows=rows,
        spread=spread,
    )


def drops(
    scores: Mapping[str, float],
    baseline: Mapping[str, float],
    counted: Sequence[str],
    lost_again: Mapping[str, NDArray[Any]],
    rates: Mapping[str, float],
) -> dict[str, float]:
    """Summarise the points that a design loses to the baseline.

    Args:
        scores: score of the design, by task.
        baseline: score of the baseline, by task.
        counted: names of the tasks that count: those whose baseline beats chance by more than 3 points.
        lost_again: points that the design loses to the baseline on the same resamples, shape (draws,), by task.
        rates: share of requests, by task.

    Returns:
        ``score_mean``; ``accuracy_drop`` with its 95 % interval ``accuracy_drop_low`` and ``accuracy_drop_high``, the mean
        over the tasks that count; ``accuracy_drop_rated``, which weights these tasks by
        their rates as energy does; ``accuracy_drop_all`` over all tasks; ``accuracy_drop_worst`` of a single task. Drops are in points (100 = 1.0).
    """
    lost = {name: POINTS * (baseline[name] - score) for name, score in scores.items()}
    low, high = np.quantile(np.mean([lost_again[name] for name in counted], axis=0), INTERVAL)
    return {
        "score_mean": float(np.mean(list(scores.values()))),
        "accuracy_drop": float(np.mean([lost[name] for name in counted])),
        "accuracy_drop_low": float(low),
        "accuracy_drop_high": float(high),
        "accuracy_drop_rated": float(
            np.average([lost[name] for name in counted], weights=[rates[name] for name in counted])
        ),
        "accuracy_drop_all": float(np.mean(list(lost.values()))),
        "accuracy_drop_worst": float(max(lost.values())),
    }


def count_measurable(baseline: Mapping[str, float], chance: Mapping[str, float]) -> list[str]:
    """Names of the tasks whose baseline beats chance by more than 3 points; all tasks if no baseline does."""
    return [name for name in baseline if baseline[name] - chance[name] > MEASURABLE] or list(baseline)
