"""Designs put together from the best setting of each task, by measured and expected scores.

Cost nearly adds up over tasks, and a score is a mean over them. For any weights of the objectives, the best design thus has
for each task the setting that is best for this task alone. Looking at the tasks one by one then finds many good designs.
"""

from collections.abc import Callable, Sequence

import numpy as np

from dse.records.arrays import Floats
from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec, Params
from dse.samplers.graybox.candidates import Candidates
from dse.samplers.graybox.features import Features
from dse.samplers.graybox.scores import TaskScores

SINGLES = 192
"""Designs looked at that differ from the base in one task."""
FEWEST = 6
"""Fewest settings of a task that are looked at."""
SPREAD = 1.5
"""Standard deviation of the logarithm of an objective's weight."""


class Recombined:
    """Puts designs together.

    Args:
        codec: translation of the space.
        features: features of designs.
        scores: measured and expected scores of tasks.
    """

    def __init__(self, codec: Codec, features: Features, scores: TaskScores) -> None:
        self._codec, self._features, self._scores = codec, features, scores
        self._tasks = len(codec.space.tasks)

    def around(
        self,
        make: Candidates,
        base: Params,
        good: Sequence[Params],
        worth: Callable[[list[DesignPoint]], Floats],
        worst: float,
        count: int,
    ) -> list[Params]:
        """Return designs that differ from a base only in the settings of tasks.

        Args:
            make: source of random candidates.
            base: the design to change.
            good: designs whose settings of tasks are looked at, the most important first.
            worth: function that gives exact objectives of designs, smaller is better, in units of the reference, shape (N, D).
            worst: loss of the mean score that counts as much as one unit of the exact objectives.
            count: number of designs to return.
        """
        options = make.settings(base, good, max(SINGLES // self._tasks, FEWEST))
        lengths = [len(of_task) for of_task in options]
        owners = np.repeat(np.arange(self._tasks), lengths)
        points = [self._codec.decode({**base, **setting}) for of_task in options for setting in of_task]
        rows = self._features.of(points)
        keys = self._features.keys(points, rows)
        places = np.arange(len(points))
        mean, deviation = self._scores.each(rows[places, owners], owners, [keys[at][owners[at]] for at in places])
        drawn = np.random.default_rng(make.number())
        exact = worth(points)
        weights = np.exp(SPREAD * drawn.standard_normal((count, exact.shape[1] + 1)))
        guess = drawn.standard_normal((count, 1))  # a new guess for each design, so that uncertain settings are tried
        hoped = mean + deviation * guess
        values = weights[:, :-1] @ exact.T - weights[:, -1:] * hoped / (self._tasks * worst)
        designs: list[Params] = [dict(base) for _ in range(count)]
        for of_task, part in zip(options, np.split(values, np.cumsum(lengths)[:-1], axis=1), strict=True):
            for params, at in zip(designs, part.argmin(axis=1), strict=True):
                params.update(of_task[int(at)])
        return designs
