"""The hypervolume that a design is expected to add to a front when only its score is uncertain.

The exact objectives of a design are fixed, so the volume it adds is a piecewise linear function of its score. The score is
assumed normal. The expectation then has a closed form: a sum over the scores of the front, between which the area that
the design adds in the exact objectives does not change. The method follows Emmerich et al., "Single- and multiobjective
evolutionary optimization assisted by Gaussian random field metamodels", IEEE TEC 2006, with all but one objective known.
"""

import numpy as np
from scipy.special import ndtr

from dse.records.arrays import Floats


def expected_improvement(exact: Floats, mean: Floats, deviation: Floats, front: Floats, reference: Floats) -> Floats:
    """Return the hypervolume that each design is expected to add, shape (N,).

    Args:
        exact: objectives that are known, smaller is better, in units of the reference, shape (N, 2).
        mean: expected scores, larger is better, shape (N,).
        deviation: standard deviations of the scores, shape (N,).
        front: exact objectives and score of measured designs, shape (K, 3); dominated ones do no harm.
        reference: worst exact objectives and score that count, shape (3,).
    """
    front = front[(front[:, :2] < reference[:2]).all(axis=1) & (front[:, 2] > reference[2])]
    front = front[np.argsort(-front[:, 2], kind="stable")]
    levels = np.concatenate([[np.inf], front[:, 2], [reference[2]]])  # descending
    gained = np.zeros(len(exact))
    room = np.prod(np.maximum(reference[:2] - exact, 0.0), axis=1)
    stairs = np.zeros((0, 2))
    for step in range(len(levels) - 1):
        if step:
            stairs = _with(stairs, front[step - 1, :2])
        upper, lower = levels[step], levels[step + 1]
        if upper == lower:
            continue
        free = room - _area_taken(exact, stairs, reference[:2])
        gained += free * _between(mean, deviation, lower, upper)
    return gained


def _between(mean: Floats, deviation: Floats, lower: float, upper: float) -> Floats:
    """Return the expected length of the part of an interval that lies below a normal score, shape (N,)."""
    above = _expected_excess(mean, deviation, lower)
    return above if np.isinf(upper) else above - _expected_excess(mean, deviation, upper)


def _expected_excess(mean: Floats, deviation: Floats, level: float) -> Floats:
    """Return E[max(score - level, 0)], shape (N,)."""
    distance = mean - level
    safe = np.maximum(deviation, 1e-12)
    z = distance / safe
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.where(deviation > 1e-12, distance * ndtr(z) + safe * density, np.maximum(distance, 0.0))


def _with(stairs: Floats, point: Floats) -> Floats:
    """Add a design to a staircase of designs that do not dominate each other, shape (n, 2), ascending in the first objective."""
    if len(stairs) and (stairs <= point).all(axis=1).any():
        return stairs
    undominated = stairs[~(point <= stairs).all(axis=1)]
    at = np.searchsorted(undominated[:, 0], point[0])
    return np.insert(undominated, at, point, axis=0)


def _area_taken(exact: Floats, stairs: Floats, reference: Floats) -> Floats:
    """Return the area between each design and the reference that a staircase dominates already, shape (N,)."""
    if not len(stairs):
        return np.zeros(len(exact))
    left = np.maximum(stairs[None, :, 0], exact[:, :1])  # (N, n)
    right = np.concatenate([left[:, 1:], np.full((len(exact), 1), reference[0])], axis=1)
    height = reference[1] - np.maximum(stairs[None, :, 1], exact[:, 1:])
    width = np.maximum(np.minimum(right, reference[0]) - left, 0.0)
    return np.asarray((width * np.maximum(height, 0.0)).sum(axis=1))
