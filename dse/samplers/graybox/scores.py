"""Predictions of each task's score, with uncertainty, from every score measured so far."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dse.records.arrays import Floats, Ints

Key = bytes

FEW = 3
"""Number of scores below which nothing is fitted, and all unknown scores are equally uncertain."""
GROWTH = 1.2
"""Factor by which the number of scores must grow before the kernel is fitted again."""
MOST = 400
"""Largest number of scores that are looked at: the newest ones, since a search moves to the designs that matter."""
PRIOR = 0.05
"""Standard deviation of a score before the first fit."""
SMALL = 0.01
"""Loss up to which a loss counts linearly; above, it counts by its logarithm, since a task may lose 1 point or 50."""


class TaskScores:
    """Scores of tasks by key: measured ones, and predictions by a Gaussian process over all tasks.

    One task's losses help to predict another's. Each task's scores are relative to its best one so far.

    Args:
        tasks: number of tasks, T.
        width: number of columns of a row, F.

    Attributes:
        awaited: keys of scores that are unknown, but whose measurement is already planned.
    """

    def __init__(self, tasks: int, width: int) -> None:
        self._tasks, self._width = tasks, width
        self._known: dict[Key, float] = {}
        self._places: dict[Key, int] = {}
        self.awaited: set[Key] = set()
        self._rows: list[Floats] = []
        self._of_task: list[int] = []
        self._values: list[float] = []
        self._kernel: Any = None
        self._fitted_on = 0

    def __len__(self) -> int:
        return len(self._values)

    def learn(self, row: Floats, task: int, key: Key, value: float, *, measured: bool = True) -> None:
        """Learn the score of a task.

        Args:
            row: features on which the score depends, shape (F,).
            task: index of the task.
            key: key of the score.
            value: the score.
            measured: whether the study measured it; if not, the score only serves predictions.
        """
        if key in self._places:
            self._values[self._places[key]] = value
        else:
            self._places[key] = len(self._values)
            self._rows.append(row)
            self._of_task.append(task)
            self._values.append(value)
        if measured:
            self._known[key] = value

    def predict(self, rows: Floats, keys: Sequence[Sequence[Key]]) -> tuple[Floats, Floats, Ints]:
        """Return expected scores (P, T), their standard deviations (P, T), and the number of scores still to measure (P,).

        Args:
            rows: features of each design and task, shape (P, T, F).
            keys: keys of the scores, T for each of P designs.
        """
        flat = [key for of_tasks in keys for key in of_tasks]
        of_task = np.tile(np.arange(self._tasks), len(rows))
        mean, deviation = self.each(rows.reshape(len(flat), -1), of_task, flat)
        paid = self._known.keys() | self.awaited if self.awaited else self._known.keys()
        missing = np.array([sum(key not in paid for key in of_tasks) for of_tasks in keys], dtype=np.int64)
        return mean.reshape(len(rows), -1), deviation.reshape(len(rows), -1), missing

    def each(self, rows: Floats, tasks: Ints, keys: Sequence[Key]) -> tuple[Floats, Floats]:
        """Return expected scores and their standard deviations, shape (n,) each.

        Args:
            rows: features of each score, shape (n, F).
            tasks: index of each score's task, shape (n,).
            keys: keys of the n scores.
        """
        means, deviations = np.zeros((2, len(keys)))
        unknown: dict[Key, list[int]] = {}
        for at, key in enumerate(keys):
            if key in self._known:
                means[at] = self._known[key]
            else:
                unknown.setdefault(key, []).append(at)
        if unknown:
            first = np.array([places[0] for places in unknown.values()])
            expected, deviation = self._predict_unknown(rows[first], tasks[first])
            for places, mean, spread in zip(unknown.values(), expected, deviation, strict=True):
                means[places], deviations[places] = mean, spread
        return means, deviations

    def _predict_unknown(self, rows: Floats, tasks: Ints) -> tuple[Floats, Floats]:
        """Return the means and standard deviations of unknown scores, shape (n,) each."""
        best = self._best(len(self))
        if len(self) < FEW:
            return best[tasks], np.full(len(rows), PRIOR)
        from dse.samplers.graybox.process import fit_kernel, predict

        first = _fitted_on(len(self))
        if first != self._fitted_on:
            inputs, lost, middle = self._collect_seen(first)
            self._kernel, self._fitted_on = fit_kernel(inputs, lost - middle, self._width), first
        inputs, lost, middle = self._collect_seen(len(self))
        mean, deviation = predict(self._kernel, inputs, lost - middle, self._inputs(rows, tasks), self._width)
        factor = np.exp(mean + middle)
        return best[tasks] - SMALL * (factor - 1), np.maximum(SMALL * factor * deviation, 1e-6)

    def _collect_seen(self, count: int) -> tuple[Floats, Floats, float]:
        """Return the inputs (n, F + T) of the newest of the first scores, their losses as logarithms (n,), and the mean loss.

        A loss is relative to the task's best score.
        """
        some = slice(max(count - MOST, 0), count)
        of_task = np.array(self._of_task[some])
        lost = np.log1p((self._best(count)[of_task] - np.array(self._values[some])) / SMALL)
        return self._inputs(np.array(self._rows[some]), of_task), lost, float(lost.mean())

    def _inputs(self, rows: Floats, tasks: Ints) -> Floats:
        return np.concatenate([rows, np.eye(self._tasks)[tasks]], axis=1)

    def _best(self, count: int) -> Floats:
        """Return the best of each task's first scores (T,), or the mean of the other tasks' best for a task without scores."""
        best = np.full(self._tasks, -np.inf)
        np.maximum.at(best, np.array(self._of_task[:count], dtype=int), np.array(self._values[:count]))
        some = np.isfinite(best)
        return np.where(some, best, best[some].mean() if some.any() else 0.5)


def _fitted_on(count: int) -> int:
    """Return the number of first scores that the kernel is fitted on; it depends on the scores, not on earlier requests."""
    first = FEW
    while (larger := math.ceil(GROWTH * first)) <= count:
        first = larger
    return first
