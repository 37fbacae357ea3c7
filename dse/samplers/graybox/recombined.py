"""Designs put together from what is best for each task, as far as that is known and expected.

Cost adds up over tasks nearly, and a score is a mean over them. For any weights of the objectives the best design is then
the one that has for each task what is best for it alone, so that one change of each task tells many good designs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec, Params
from dse.samplers.graybox.candidates import Candidates
from dse.samplers.graybox.features import Features
from dse.samplers.graybox.scores import TaskScores

Array = NDArray[np.float64]
SINGLES = 192
"""Designs that differ from the one in view in one task."""
FEWEST = 6
"""Settings of a task that are looked at."""
SPREAD = 1.5
"""Standard deviation of the logarithm of an objective's weight."""


class Recombined:
    """Puts designs together.

    Args:
        codec: of the space.
        features: of its points.
        scores: what is known of tasks' scores, and expected.
    """

    def __init__(self, codec: Codec, features: Features, scores: TaskScores) -> None:
        self._codec, self._features, self._scores = codec, features, scores
        self._tasks = len(codec.space.tasks)

    def around(
        self,
        make: Candidates,
        base: Params,
        good: Sequence[Params],
        worth: Callable[[list[DesignPoint]], Array],
        worst: float,
        count: int,
    ) -> list[Params]:
        """Designs that have all but what belongs to tasks from one.

        Args:
            make: draws.
            base: the design.
            good: designs whose settings of tasks are looked at, first those that matter most.
            worth: exact objectives (N, D) of points, smaller is better, in units of the reference.
            worst: loss of the mean score that counts as much as one unit of these.
            count: of designs.
        """
        options = make.settings(base, good, max(SINGLES // self._tasks, FEWEST))
        owners = np.repeat(np.arange(self._tasks), [len(of_task) for of_task in options])
        points = [self._codec.decode({**base, **setting}) for of_task in options for setting in of_task]
        rows = self._features.of(points)
        keys = self._features.keys(points, rows)
        places = np.arange(len(points))
        mean, deviation = self._scores.each(rows[places, owners], owners, [keys[at][owners[at]] for at in places])
        drawn = np.random.default_rng(make.number())
        exact = worth(points)
        weights = np.exp(SPREAD * drawn.standard_normal((count, exact.shape[1] + 1)))
        guess = drawn.standard_normal((count, 1))  # another one each time, so that what is uncertain is tried
        hoped = mean + deviation * guess
        values = weights[:, :-1] @ exact.T - weights[:, -1:] * hoped / (self._tasks * worst)
        found: list[Params] = [dict(base) for _ in range(count)]
        start = 0
        for of_task in options:
            best = values[:, start : start + len(of_task)].argmin(axis=1)
            for params, at in zip(found, best, strict=True):
                params.update(of_task[int(at)])
            start += len(of_task)
        return found
