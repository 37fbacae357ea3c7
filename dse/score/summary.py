"""What a point scores, from the outcomes of its tasks: one each, or one for each draw of a chip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.records.nonideality import Nonideality
from dse.records.scored import ScoreResult
from dse.score.context import Outcome
from dse.score.metrics import POINTS, count_measurable, drops

Resampled: TypeAlias = Callable[[str, Outcome], NDArray[Any]]
"""Bootstrap scores of a task's outcome."""


def summary(
    outcomes: Mapping[str, tuple[Outcome, ...]],
    baseline: Mapping[str, Outcome],
    chance: Mapping[str, float],
    resampled: Resampled,
    what: Nonideality | None,
    evaluated: int,
) -> ScoreResult:
    """Summarise a point's scores; those of several draws are means over these, with their standard deviation beside.

    Args:
        outcomes: of each draw, by task.
        baseline: of the baseline, by task, on the same rows.
        chance: score of a constant prediction, by task.
        resampled: gives bootstrap scores.
        what: non-idealities the scores are of; None: none.
        evaluated: task scores that had to be measured.
    """
    scores = {name: np.array([outcome.value for outcome in found]) for name, found in outcomes.items()}
    means = {name: float(values.mean()) for name, values in scores.items()}
    base = {name: outcome.value for name, outcome in baseline.items()}
    metrics = drops(
        means,
        base,
        chance,
        {name: np.mean([resampled(name, outcome) for outcome in found], axis=0) for name, found in outcomes.items()},
        {name: resampled(name, outcome) for name, outcome in baseline.items()},
    )
    spread = {}
    if what is not None and what.draws > 1:
        spread = {name: float(values.std(ddof=1)) for name, values in scores.items()}
        lost = np.mean([POINTS * (base[name] - scores[name]) for name in count_measurable(base, chance)], axis=0)
        metrics["accuracy_drop_spread"] = float(lost.std(ddof=1))
    runs = [[outcome.layers_run for outcome in found] for found in outcomes.values()]
    early = [float(np.mean(of_task)) for of_task in runs if not np.isnan(of_task[0])]
    rows = None if what is None or what.adc == "ideal" else max(len(one.predictions) for one in baseline.values())
    return ScoreResult(
        metrics=metrics,
        tasks=means,
        flagged=tuple(name for name, found in outcomes.items() if any(outcome.flagged for outcome in found)),
        evaluated=evaluated,
        baseline=base,
        layers_run=float(np.mean(early)) if early else None,
        draws=None if what is None else what.draws,
        adc_rows=rows,
        spread=spread,
    )
