"""A Gaussian process over several tasks: one task's losses help to predict another's."""

import warnings
from typing import Any

import numpy as np
from scipy.linalg import cho_solve
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from dse.records.arrays import Floats

MOST_TO_FIT = 160
"""Largest number of rows that the kernel's scales are fitted on."""
SOME = 5
"""Weight of the assumption that a task's values are as surprising as expected: it counts as this many values per task."""
MOST_LENGTHS = 24
"""Largest number of columns that get a scale each; more columns share one, since fitting a hundred scales takes a minute."""
LENGTHS = (0.1, 20.0)
"""Bounds of a column's scale: how far the column, from 0 to 1, must change until scores hardly depend on each other."""


class On(Matern):  # type: ignore[misc]  # scikit-learn has no types
    """A kernel that looks at some columns.

    Args:
        columns: the first column, and the one after the last.
        length_scale: scale of each column, or one for all of them.
        length_scale_bounds: bounds for fitting, or ``"fixed"``.
        nu: smoothness of the kernel.
    """

    def __init__(
        self, columns: tuple[int, int], length_scale: Any = 1.0, length_scale_bounds: Any = LENGTHS, nu: float = 2.5
    ) -> None:
        super().__init__(length_scale, length_scale_bounds, nu)
        self.columns = columns

    def __call__(self, X: Floats, Y: Floats | None = None, eval_gradient: bool = False) -> Any:  # noqa: N803  # scikit-learn's signature
        """Return the covariance of rows."""
        some = slice(*self.columns)
        return super().__call__(X[:, some], None if Y is None else Y[:, some], eval_gradient)


def fit_kernel(inputs: Floats, values: Floats, width: int) -> Any:
    """Fit the scales of a kernel to some of the rows, by their likelihood.

    The covariance between tasks is a share of the covariance within a task, the same for all pairs of tasks (an intrinsic
    model of coregionalisation: Bonilla, Chai and Williams, "Multi-task Gaussian process prediction", NeurIPS 2007).

    Args:
        inputs: rows, shape (n, F + T); the last T columns are 1 for the row's task and 0 elsewhere.
        values: values around 0, shape (n,).
        width: number of features, F.
    """
    some = np.linspace(0, len(inputs) - 1, min(len(inputs), MOST_TO_FIT)).astype(int)
    same_task = On((width, inputs.shape[1]), 0.1, "fixed")
    amount = ConstantKernel(0.5, (0.01, 100.0)) + ConstantKernel(0.5, (0.01, 100.0)) * same_task
    lengths = np.ones(width) if width <= MOST_LENGTHS else 1.0
    begin = On((0, width), lengths) * amount + WhiteKernel(0.01, (1e-4, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianProcessRegressor(begin, random_state=0).fit(inputs[some], values[some]).kernel_


def predict(kernel: Any, inputs: Floats, values: Floats, rows: Floats, width: int) -> tuple[Floats, Floats]:
    """Return the expected values of rows and their standard deviations, widened by each task's surprises, shape (m,) each.

    Args:
        kernel: the fitted kernel.
        inputs: rows whose values are known, shape (n, F + T).
        values: their values around 0, shape (n,).
        rows: rows to predict, shape (m, F + T).
        width: number of features, F.
    """
    process = GaussianProcessRegressor(kernel, optimizer=None).fit(inputs, values)
    mean, deviation = process.predict(rows, return_std=True)
    return mean, deviation * (rows[:, width:] @ _surprise(process, inputs[:, width:]))


def _surprise(process: Any, of_task: Floats) -> Floats:
    """Return how far each task's values lie from their predictions, in expected standard deviations, shape (T,).

    Each value is predicted from all others, in closed form: Rasmussen and Williams, "Gaussian Processes for Machine
    Learning", 2006, eq. 5.12.
    """
    inverse = np.diag(cho_solve((process.L_, True), np.eye(len(of_task))))
    squares = np.ravel(process.alpha_) ** 2 / inverse
    return np.asarray(np.sqrt((of_task.T @ squares + SOME) / (of_task.sum(axis=0) + SOME)))
