"""Cheapest turns of a chip whose switches depend on the whole turn: all of them are tried."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.schedulers.optimal.tours import GAIN

MOST_TRIED = 7
"""Largest number of tasks whose turns are all tried."""


def best_turns(components: plugin.Components, charge: str, *, shared: bool) -> NDArray[np.int64]:
    """Return the cheapest turns, shape (P, T); the listed order where no turn is cheaper.

    Args:
        components: charges of the designs, with a residency.
        charge: name of the charge of switches that counts.
        shared: whether the first task of a turn matters, since it runs the layers that other tasks share.
    """
    estimate = getattr(components, charge)
    points, tasks = estimate.shape[:2]
    best = np.broadcast_to(np.arange(tasks), (points, tasks)).copy()
    first = () if shared else (0,)
    turns = np.array([(*first, *rest) for rest in permutations(range(len(first), tasks))])
    for point in np.flatnonzero(estimate.any(axis=(1, 2))):
        costs = plugin.charge_switches(components, turns, np.full(len(turns), point))[charge].sum(axis=1)
        if costs.min() < costs[0] * (1 - GAIN):
            best[point] = turns[costs.argmin()]
    return best
