"""A Gaussian process over several tasks: what one loses tells something of what another does."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

Array = NDArray[np.float64]
MOST_TO_FIT = 160
"""Rows that the kernel's scales are fitted on."""
SOME = 5
"""Values of a task as surprising as expected that are assumed besides."""
MOST_LENGTHS = 24
"""Columns that have a scale each; of more, all have one, since to fit a hundred takes a minute."""
LENGTHS = (0.1, 20.0)
"""Bounds of how far a column, from 0 to 1, must change until scores tell little of each other."""


class On(Matern):  # type: ignore[misc]  # scikit-learn has no types
    """A kernel that looks at some columns.

    Args:
        columns: first one, and the one after the last.
        length_scale: of each, or of all.
        length_scale_bounds: for fitting, or ``"fixed"``.
        nu: smoothness.
    """

    def __init__(
        self, columns: tuple[int, int], length_scale: Any = 1.0, length_scale_bounds: Any = LENGTHS, nu: float = 2.5
    ) -> None:
        super().__init__(length_scale, length_scale_bounds, nu)
        self.columns = columns

    def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Any:  # noqa: N803  # scikit-learn's signature
        """Covariance of rows."""
        some = slice(*self.columns)
        return super().__call__(X[:, some], None if Y is None else Y[:, some], eval_gradient)


def fit_kernel(inputs: Array, values: Array, width: int) -> Any:
    """A kernel with scales by the likelihood of some rows.

    Covariance between tasks is a share of that within one, the same for all pairs (an intrinsic model of
    coregionalisation: Bonilla, Chai and Williams, "Multi-task Gaussian process prediction", NeurIPS 2007).

    Args:
        inputs: (n, F + T) rows, whose last columns are 1 for their task and else 0.
        values: (n,) about 0.
        width: F.
    """
    some = np.linspace(0, len(inputs) - 1, min(len(inputs), MOST_TO_FIT)).astype(int)
    same_task = On((width, inputs.shape[1]), 0.1, "fixed")
    amount = ConstantKernel(0.5, (0.01, 100.0)) + ConstantKernel(0.5, (0.01, 100.0)) * same_task
    lengths = np.ones(width) if width <= MOST_LENGTHS else 1.0
    begin = On((0, width), lengths) * amount + WhiteKernel(0.01, (1e-4, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianProcessRegressor(begin, random_state=0).fit(inputs[some], values[some]).kernel_


def predict(kernel: Any, inputs: Array, values: Array, rows: Array, width: int) -> tuple[Array, Array]:
    """Expected values (m,) of rows (m, F + T), and their standard deviation, as wide as each task's values turned out.

    Args:
        kernel: fitted.
        inputs: (n, F + T) rows whose values are known.
        values: (n,) about 0.
        rows: (m, F + T).
        width: F.
    """
    process = GaussianProcessRegressor(kernel, optimizer=None).fit(inputs, values)
    mean, deviation = process.predict(rows, return_std=True)
    return mean, deviation * (rows[:, width:] @ _surprise(process, inputs[:, width:]))


def _surprise(process: Any, of_task: Array) -> Array:
    """How far each task's values (T,) lie from what all others tell of them, in standard deviations expected.

    Left out one by one in closed form: Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 5.12.
    """
    inverse = np.diag(cho_solve((process.L_, True), np.eye(len(of_task))))
    squares = np.ravel(process.alpha_) ** 2 / inverse
    return np.asarray(np.sqrt((of_task.T @ squares + SOME) / (of_task.sum(axis=0) + SOME)))
