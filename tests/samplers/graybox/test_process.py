"""The Gaussian process over tasks: what one tells of another, and how surprising each is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from dse.samplers.graybox.process import MOST_LENGTHS, On, _surprise, fit_kernel, predict

WIDTH, TASKS = 2, 2


def data(noise: float, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two tasks that follow one curve, the second with noise."""
    drawn = np.random.default_rng(0)
    of_task = np.arange(count) % TASKS
    columns = drawn.uniform(size=(count, WIDTH))
    values = np.sin(3 * columns[:, 0]) - 0.5 + noise * of_task * drawn.standard_normal(count)
    return np.concatenate([columns, np.eye(TASKS)[of_task]], axis=1), values


def test_surprise_is_that_of_leaving_each_value_out() -> None:
    inputs, values = data(noise=0.3, count=16)
    kernel = fit_kernel(inputs, values, WIDTH)
    process = GaussianProcessRegressor(kernel, optimizer=None).fit(inputs, values)

    squares = np.zeros((TASKS, 2))
    for left_out in range(len(inputs)):
        others = np.arange(len(inputs)) != left_out
        alone = GaussianProcessRegressor(kernel, optimizer=None).fit(inputs[others], values[others])
        mean, deviation = alone.predict(inputs[left_out : left_out + 1], return_std=True)
        squares[left_out % TASKS] += ((values[left_out] - mean[0]) / deviation[0]) ** 2, 1
    by_hand = np.sqrt((squares[:, 0] + 5) / (squares[:, 1] + 5))
    np.testing.assert_allclose(_surprise(process, inputs[:, WIDTH:]), by_hand, rtol=1e-6)


def test_a_task_that_surprises_is_more_uncertain_than_one_that_does_not() -> None:
    inputs, values = data(noise=0.4)
    kernel = fit_kernel(inputs, values, WIDTH)
    rows = np.concatenate([np.full((TASKS, WIDTH), 0.5), np.eye(TASKS)], axis=1)
    mean, deviation = predict(kernel, inputs, values, rows, WIDTH)

    assert deviation[1] > 1.5 * deviation[0]
    assert mean[0] == pytest.approx(np.sin(1.5) - 0.5, abs=0.2)


def test_one_task_tells_of_another_that_is_alike() -> None:
    inputs, values = data(noise=0.0)
    seen = np.arange(len(inputs)) % TASKS == 0
    seen[:3] = True  # the other task is known at one place
    kernel = fit_kernel(inputs[seen], values[seen], WIDTH)
    mean, deviation = predict(kernel, inputs[seen], values[seen], inputs[~seen], WIDTH)

    assert np.abs(mean - values[~seen]).mean() < 0.5 * values.std()
    assert deviation.mean() < values.std()


def test_many_columns_share_a_scale() -> None:
    inputs, values = data(noise=0.0)
    wide = np.concatenate([np.repeat(inputs[:, :1], MOST_LENGTHS + 1, axis=1), inputs[:, WIDTH:]], axis=1)
    assert np.size(fit_kernel(inputs, values, WIDTH).k1.k1.length_scale) == WIDTH
    assert np.size(fit_kernel(wide, values, MOST_LENGTHS + 1).k1.k1.length_scale) == 1


def test_a_kernel_on_some_columns_sees_no_others() -> None:
    rows = np.random.default_rng(1).uniform(size=(5, 4))
    other = rows.copy()
    other[:, 2:] += 1
    kernel = On((0, 2), np.array([0.5, 2.0]))
    np.testing.assert_array_equal(kernel(rows), kernel(other))
    np.testing.assert_array_equal(kernel(rows, other), kernel(rows, rows))
    assert kernel(rows, eval_gradient=True)[1].shape == (5, 5, 2)
