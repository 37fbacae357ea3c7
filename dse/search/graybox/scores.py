"""What each task will score, with uncertainty, from every score measured so far."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Key = bytes

FEW = 3
"""Scores below which nothing is fitted, and every unknown score is as uncertain as the next."""
GROWTH = 1.3
"""The kernel is fitted again when there are so many times as many scores."""
MOST = 400
"""Scores that are looked at: the newest, since a search goes where it matters."""
MOST_TO_FIT = 160
"""Scores that the kernel is fitted on."""
PRIOR = 0.05
"""Standard deviation of a score before anything is known."""
APART = 0.7
"""Distance of two tasks' scores of the same settings, as one more column would tell them apart."""


class TaskScores:
    """Scores by what they depend on: known where measured, else predicted by a Gaussian process over all tasks.

    Tasks are told apart by columns of their own, so that what one bears tells something of the others. Each task's scores
    are taken relative to its best so far.

    Args:
        tasks: T.
        width: F columns of a row.

    Attributes:
        awaited: keys of scores that are unknown yet, but paid for.
    """

    def __init__(self, tasks: int, width: int) -> None:
        self._tasks, self._width = tasks, width
        self._known: dict[Key, float] = {}
        self.awaited: set[Key] = set()
        self._rows: list[Array] = []
        self._of_task: list[int] = []
        self._values: list[float] = []
        self._kernel: Any = None
        self._fitted_at = 0

    def __len__(self) -> int:
        return len(self._values)

    def learn(self, row: Array, task: int, key: Key, value: float) -> None:
        """Take in the score of a task.

        Args:
            row: (F,) what it depends on.
            task: index.
            key: what it is known by.
            value: the score.
        """
        if key not in self._known:
            self._rows.append(row)
            self._of_task.append(task)
            self._values.append(value)
        self._known[key] = value

    def predict(self, rows: Array, keys: Sequence[Sequence[Key]]) -> tuple[Array, Array, NDArray[np.int64]]:
        """Expected mean score, its standard deviation, and how many tasks' scores are to be paid for, each (P,).

        Args:
            rows: (P, T, F).
            keys: of each point, of each task.
        """
        means = np.zeros((len(rows), self._tasks))
        variances = np.zeros_like(means)
        unknown: dict[Key, list[tuple[int, int]]] = {}
        for point, of_tasks in enumerate(keys):
            for task, key in enumerate(of_tasks):
                if key in self._known:
                    means[point, task] = self._known[key]
                else:
                    unknown.setdefault(key, []).append((point, task))
        if unknown:
            first = [places[0] for places in unknown.values()]
            at, tasks = (np.array(side) for side in zip(*first, strict=True))
            expected, deviation = self._expected(rows[at, tasks], tasks)
            for places, mean, spread in zip(unknown.values(), expected, deviation, strict=True):
                for point, task in places:
                    means[point, task], variances[point, task] = mean, spread**2
        paid = self._known.keys() | self.awaited if self.awaited else self._known.keys()
        missing = np.array([sum(key not in paid for key in of_tasks) for of_tasks in keys], dtype=np.int64)
        return means.mean(axis=1), np.sqrt(variances.sum(axis=1)) / self._tasks, missing

    def _expected(self, rows: Array, tasks: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean and standard deviation (n,) of unknown scores."""
        best = self._best()
        if len(self) < FEW:
            return best[tasks], np.full(len(rows), PRIOR)
        from sklearn.gaussian_process import GaussianProcessRegressor

        inputs, lost, scale = self._seen(best)
        if self._kernel is None or len(self) >= GROWTH * self._fitted_at:
            self._fit(inputs, lost / scale)
        process = GaussianProcessRegressor(self._kernel, optimizer=None, normalize_y=False)
        process.fit(inputs, lost / scale)
        mean, deviation = process.predict(self._inputs(rows, tasks), return_std=True)
        return best[tasks] - mean * scale, np.maximum(deviation * scale, 1e-6)

    def _seen(self, best: Array) -> tuple[Array, Array, float]:
        """Inputs (n, F + T), what was lost to each task's best (n,), and the scale of that."""
        tasks = np.array(self._of_task[-MOST:])
        lost = best[tasks] - np.array(self._values[-MOST:])
        return self._inputs(np.array(self._rows[-MOST:]), tasks), lost, max(float(lost.std()), 1e-4)

    def _inputs(self, rows: Array, tasks: NDArray[np.int64]) -> Array:
        return np.concatenate([rows, APART * np.eye(self._tasks)[tasks]], axis=1)

    def _best(self) -> Array:
        """Best score of each task; of one that has none, the mean of the others."""
        best = np.full(self._tasks, -np.inf)
        np.maximum.at(best, np.array(self._of_task, dtype=int), np.array(self._values))
        some = np.isfinite(best)
        return np.where(some, best, best[some].mean() if some.any() else 0.5)

    def _fit(self, inputs: Array, lost: Array) -> None:
        """Fit the kernel's scales by the likelihood of some of the scores."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        lengths = np.ones(self._width + 1)
        varies = np.ptp(inputs[:, : self._width], axis=0) > 0
        some = np.linspace(0, len(inputs) - 1, min(len(inputs), MOST_TO_FIT)).astype(int)
        columns = np.flatnonzero(varies)
        tasks = inputs[:, self._width :]
        apart = np.concatenate([inputs[:, columns], tasks], axis=1)[some]
        begin = ConstantKernel(2.0, (0.1, 100.0)) * Matern(
            np.ones(apart.shape[1]), [(0.1, 20.0)] * len(columns) + [(0.3, 5.0)] * self._tasks, nu=2.5
        ) + WhiteKernel(0.01, (1e-4, 0.5))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = (
                GaussianProcessRegressor(begin, n_restarts_optimizer=0, random_state=0).fit(apart, lost[some]).kernel_
            )
        lengths = np.concatenate([np.full(self._width, 1.0), np.ones(self._tasks)])
        fitted = np.atleast_1d(found.k1.k2.length_scale)
        lengths[columns], lengths[self._width :] = fitted[: len(columns)], fitted[len(columns) :]
        constant, noise = found.k1.k1.constant_value, found.k2.noise_level
        self._kernel = ConstantKernel(constant, "fixed") * Matern(lengths, "fixed", nu=2.5) + WhiteKernel(
            noise, "fixed"
        )
        self._fitted_at = len(self)
