"""Expected improvement against sampling, and against hypervolumes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.results.pareto import hypervolume
from dse.samplers.graybox.improvement import expected_improvement

REFERENCE = np.array([1.0, 1.25, 0.6])


def added(front: np.ndarray, point: np.ndarray) -> float:
    """What a point adds to a front, by two hypervolumes."""
    maximise = [False, False, True]
    both = np.vstack([front, point])
    return hypervolume(both, REFERENCE.tolist(), maximise) - hypervolume(front, REFERENCE.tolist(), maximise)


def drawn(seed: int, count: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw.uniform([0.1, 0.2, 0.5], [1.1, 1.4, 0.95], (count, 3))


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 12))
def test_a_score_that_is_known_adds_its_hypervolume(seed: int, count: int) -> None:
    front, points = drawn(seed, count), drawn(seed + 1, 5)

    found = expected_improvement(points[:, :2], points[:, 2], np.zeros(5), front, REFERENCE)

    np.testing.assert_allclose(found, [added(front, point) for point in points], atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_an_uncertain_score_adds_what_samples_add_on_average(seed: int) -> None:
    front, (point,) = drawn(seed, 6), drawn(seed + 100, 1)
    point[:2] *= 0.6
    spread = 0.08
    scores = np.random.default_rng(seed).normal(point[2], spread, 4000)
    samples = np.column_stack([np.broadcast_to(point[:2], (4000, 2)), scores])

    found = expected_improvement(point[None, :2], point[2:], np.array([spread]), front, REFERENCE)
    known = expected_improvement(samples[:, :2], scores, np.zeros(4000), front, REFERENCE)

    assert found[0] == pytest.approx(known.mean(), rel=0.06, abs=2e-4)


def test_points_beyond_the_reference_add_nothing() -> None:
    outside = np.array([[1.2, 0.5], [0.5, 1.3]])
    assert expected_improvement(outside, np.ones(2), np.zeros(2), drawn(0, 3), REFERENCE).tolist() == [0, 0]
    below = expected_improvement(np.array([[0.5, 0.5]]), np.array([0.3]), np.zeros(1), drawn(0, 0), REFERENCE)
    assert below.tolist() == [0]
