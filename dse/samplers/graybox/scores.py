"""What each task will score, with uncertainty, from every score measured so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Key = bytes

FEW = 3
"""Scores below which nothing is fitted, and every unknown score is as uncertain as the next."""
GROWTH = 1.2
"""The kernel is fitted again when there are so many times as many scores."""
MOST = 400
"""Scores that are looked at: the newest, since a search goes where it matters."""
PRIOR = 0.05
"""Standard deviation of a score before anything is known."""
SMALL = 0.01
"""Loss up to which losses are taken as they are; beyond it as logarithms, since a task may lose a point or fifty."""


class TaskScores:
    """Scores by what they depend on: known where measured, else predicted by a Gaussian process over all tasks.

    What one task bears tells something of the others. Each task's scores are taken relative to its best so far.

    Args:
        tasks: T.
        width: F columns of a row.

    Attributes:
        awaited: keys of scores that are unknown yet, but paid for.
    """

    def __init__(self, tasks: int, width: int) -> None:
        self._tasks, self._width = tasks, width
        self._known: dict[Key, float] = {}
        self._places: dict[Key, int] = {}
        self.awaited: set[Key] = set()
        self._rows: list[Array] = []
        self._of_task: list[int] = []
        self._values: list[float] = []
        self._kernel: Any = None
        self._fitted_on = 0

    def __len__(self) -> int:
        return len(self._values)

    def learn(self, row: Array, task: int, key: Key, value: float, *, measured: bool = True) -> None:
        """Take in the score of a task.

        Args:
            row: (F,) what it depends on.
            task: index.
            key: what it is known by.
            value: the score.
            measured: by the study; else it tells of others, and of itself until it is measured.
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

    def predict(self, rows: Array, keys: Sequence[Sequence[Key]]) -> tuple[Array, Array, NDArray[np.int64]]:
        """Expected scores (P, T), their standard deviations (P, T), and how many scores are to be paid for (P,).

        Args:
            rows: (P, T, F).
            keys: of each point, of each task.
        """
        flat = [key for of_tasks in keys for key in of_tasks]
        of_task = np.tile(np.arange(self._tasks), len(rows))
        mean, deviation = self.each(rows.reshape(len(flat), -1), of_task, flat)
        paid = self._known.keys() | self.awaited if self.awaited else self._known.keys()
        missing = np.array([sum(key not in paid for key in of_tasks) for of_tasks in keys], dtype=np.int64)
        return mean.reshape(len(rows), -1), deviation.reshape(len(rows), -1), missing

    def each(self, rows: Array, tasks: NDArray[np.int64], keys: Sequence[Key]) -> tuple[Array, Array]:
        """Expected scores and their standard deviation, each (n,).

        Args:
            rows: (n, F).
            tasks: (n,) index.
            keys: n.
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

    def _predict_unknown(self, rows: Array, tasks: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean and standard deviation (n,) of unknown scores."""
        best = self._best(len(self))
        if len(self) < FEW:
            return best[tasks], np.full(len(rows), PRIOR)
        from dse.samplers.graybox.process import fit_kernel, predict

        first = _fitted_on(len(self))
        if first != self._fitted_on:
            known, lost, middle = self._collect_seen(first)
            self._kernel, self._fitted_on = fit_kernel(known, lost - middle, self._width), first
        known, lost, middle = self._collect_seen(len(self))
        mean, deviation = predict(self._kernel, known, lost - middle, self._inputs(rows, tasks), self._width)
        factor = np.exp(mean + middle)
        return best[tasks] - SMALL * (factor - 1), np.maximum(SMALL * factor * deviation, 1e-6)

    def _collect_seen(self, count: int) -> tuple[Array, Array, float]:
        """Inputs (n, F + T) of the newest of the first scores, the logarithm of what was lost to a task's best, its mean."""
        some = slice(max(count - MOST, 0), count)
        of_task = np.array(self._of_task[some])
        lost = np.log1p((self._best(count)[of_task] - np.array(self._values[some])) / SMALL)
        return self._inputs(np.array(self._rows[some]), of_task), lost, float(lost.mean())

    def _inputs(self, rows: Array, tasks: NDArray[np.int64]) -> Array:
        return np.concatenate([rows, np.eye(self._tasks)[tasks]], axis=1)

    def _best(self, count: int) -> Array:
        """Best of the first scores of each task; of one that has none, the mean of the others."""
        best = np.full(self._tasks, -np.inf)
        np.maximum.at(best, np.array(self._of_task[:count], dtype=int), np.array(self._values[:count]))
        some = np.isfinite(best)
        return np.where(some, best, best[some].mean() if some.any() else 0.5)


def _fitted_on(count: int) -> int:
    """How many scores, the first ones, the kernel is fitted on: it follows from the scores, not from when it was asked for."""
    first = FEW
    while (larger := math.ceil(GROWTH * first)) <= count:
        first = larger
    return first
