"""The probability that a design keeps the limits that depend on its scores."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from dse.records.arrays import Floats
from dse.space.constraints import Constraint, constraints_of
from dse.space.file import SpaceFile

LOST = ("accuracy_drop", "accuracy_drop_all")
SURE = 1e-9
"""Smallest standard deviation of a score, used for one that was measured."""


class Feasibility:
    """Limits of mean scores, mean drops and single tasks' scores; other limits are ignored.

    Args:
        space: the space file, which names the limits.
        tasks: task names, in order.
    """

    def __init__(self, space: SpaceFile, tasks: Sequence[str]) -> None:
        self._tasks = {f"score.{name}": index for index, name in enumerate(tasks)}
        predicted = ("score_mean", *LOST, *self._tasks)
        self._limits = tuple(item for item in constraints_of(space) if item.metric in predicted)

    def chance(self, means: Floats, deviations: Floats, baseline: float) -> Floats | float:
        """Return the probability that each design keeps all limits, assumed independent, shape (P,).

        Args:
            means: expected scores, shape (P, T).
            deviations: standard deviations of the scores, shape (P, T).
            baseline: mean score of the baseline.
        """
        probability: Floats | float = 1.0
        for limit in self._limits:
            probability = probability * self._probability_kept(limit, means, deviations, baseline)
        return probability

    def _probability_kept(self, limit: Constraint, means: Floats, deviations: Floats, baseline: float) -> Floats:
        if limit.metric in self._tasks:
            task = self._tasks[limit.metric]
            mean, deviation = means[:, task], deviations[:, task]
        else:
            mean, deviation = means.mean(axis=1), np.sqrt((deviations**2).sum(axis=1)) / means.shape[1]
        lost = limit.metric in LOST
        bound = baseline - limit.bound / 100 if lost else limit.bound
        below = np.asarray(ndtr((bound - mean) / np.maximum(deviation, SURE)))
        return below if limit.is_upper != lost else 1 - below
