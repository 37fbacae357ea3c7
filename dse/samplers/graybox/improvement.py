"""How much a point is expected to add to a front's hypervolume when only its score is uncertain.

With the exact objectives of a point fixed, the volume it adds is a piecewise linear function of its score, and the score is
taken as normal, so that the expectation has a closed form: a sum over the scores of the front, between which the area that
the point adds in the exact objectives does not change. After Emmerich et al., "Single- and multiobjective evolutionary
optimization assisted by Gaussian random field metamodels", IEEE TEC 2006, with all but one objective known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]


def expected_improvement(exact: Array, mean: Array, deviation: Array, front: Array, reference: Array) -> Array:
    """Expected hypervolume (N,) that each point adds.

    Args:
        exact: (N, 2) objectives that are known, smaller is better, in units of the reference.
        mean: (N,) expected score, larger is better.
        deviation: (N,) its standard deviation.
        front: (K, 3) exact objectives and score of points measured; any others do no harm.
        reference: (3,) worst exact objectives and score that count.
    """
    front = front[(front[:, :2] < reference[:2]).all(axis=1) & (front[:, 2] > reference[2])]
    front = front[np.argsort(-front[:, 2], kind="stable")]
    levels = np.concatenate([[np.inf], front[:, 2], [reference[2]]])  # descending
    found = np.zeros(len(exact))
    room = np.prod(np.maximum(reference[:2] - exact, 0.0), axis=1)
    stairs = np.zeros((0, 2))
    for step in range(len(levels) - 1):
        if step:
            stairs = _with(stairs, front[step - 1, :2])
        upper, lower = levels[step], levels[step + 1]
        if upper == lower:
            continue
        free = room - _area_taken(exact, stairs, reference[:2])
        found += free * _between(mean, deviation, lower, upper)
    return found


def _between(mean: Array, deviation: Array, lower: float, upper: float) -> Array:
    """Expected length (N,) of the part of an interval that lies below a normal score."""
    above = _expected_excess(mean, deviation, lower)
    return above if np.isinf(upper) else above - _expected_excess(mean, deviation, upper)


def _expected_excess(mean: Array, deviation: Array, level: float) -> Array:
    """E[max(score - level, 0)]."""
    distance = mean - level
    safe = np.maximum(deviation, 1e-12)
    z = distance / safe
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.where(deviation > 1e-12, distance * ndtr(z) + safe * density, np.maximum(distance, 0.0))


def _with(stairs: Array, point: Array) -> Array:
    """Add a point to a staircase (n, 2) of points that do not dominate each other, ascending in the first objective."""
    if len(stairs) and (stairs <= point).all(axis=1).any():
        return stairs
    kept = stairs[~(point <= stairs).all(axis=1)]
    at = np.searchsorted(kept[:, 0], point[0])
    return np.insert(kept, at, point, axis=0)


def _area_taken(exact: Array, stairs: Array, reference: Array) -> Array:
    """Area (N,) between each point and the reference that a staircase dominates already."""
    if not len(stairs):
        return np.zeros(len(exact))
    left = np.maximum(stairs[None, :, 0], exact[:, :1])  # (N, n)
    right = np.concatenate([left[:, 1:], np.full((len(exact), 1), reference[0])], axis=1)
    height = reference[1] - np.maximum(stairs[None, :, 1], exact[:, 1:])
    width = np.maximum(np.minimum(right, reference[0]) - left, 0.0)
    return np.asarray((width * np.maximum(height, 0.0)).sum(axis=1))
