"""Cheapest directed tours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_BY_SUBSETS = 12
"""Largest number of tasks for dynamic programming: its tables double with each further task."""
_TOGETHER = 2**22
"""Largest number of values in one table, which limits how many designs are solved at once."""
GAIN = 1e-9
"""Share of a tour's cost by which another tour must be cheaper; a smaller gain is rounding."""


def lengths(cost: Floats, tours: Ints) -> Floats:
    """Cost of cyclic tours (P, n), shape (P,), from the cost of each node after another (P, n, n)."""
    points = np.arange(len(cost))[:, None]
    return np.asarray(cost[points, np.roll(tours, 1, axis=1), tours].sum(axis=1))


def best_tours(cost: Floats) -> Ints:
    """Cheapest tours from node 0, shape (P, n), from the cost of a node (axis 2) after another node (axis 1).

    If no tour is cheaper than 0, 1, 2, ..., that tour is returned.
    """
    points, nodes = cost.shape[:2]
    listed = np.broadcast_to(np.arange(nodes), (points, nodes))
    if nodes <= 2:
        return listed.copy()
    if nodes > MOST_BY_SUBSETS:
        tours = np.stack([_by_cuts(one) for one in cost])
    else:
        together = max(1, _TOGETHER // (2 ** (nodes - 1) * nodes))
        tours = np.concatenate([_by_subsets(cost[at : at + together]) for at in range(0, points, together)])
    before, after = lengths(cost, listed), lengths(cost, tours)
    return np.where((after < before * (1 - GAIN))[:, None], tours, listed)


def _by_subsets(cost: Floats) -> Ints:
    """Held and Karp: the cheapest way from node 0 through every subset of nodes to each of its members."""
    points, nodes = cost.shape[:2]
    inner = nodes - 1
    step = cost[:, 1:, 1:].transpose(1, 2, 0)  # (from, to, P)
    best = np.full((2**inner, inner, points), np.inf)
    for node in range(inner):
        best[1 << node, node] = cost[:, 0, node + 1]
    members = [[node for node in range(inner) if subset >> node & 1] for subset in range(2**inner)]
    for subset, among in enumerate(members):
        if len(among) > 1:
            for node in among:
                best[subset, node] = (best[subset ^ (1 << node)] + step[:, node]).min(axis=0)
    back = cost[:, 1:, 0].T
    left = np.full(points, 2**inner - 1)
    last = (best[-1] + back).argmin(axis=0)
    tour = np.zeros((points, nodes), dtype=np.int64)
    at = np.arange(points)
    for place in range(inner, 0, -1):
        tour[:, place] = last + 1
        left ^= 1 << last
        if place > 1:
            last = (best[left, :, at] + step[:, last, at].T).argmin(axis=1)
    return tour


def _by_cuts(cost: Floats) -> Ints:
    """Integer programming over the arcs (n, n), with cuts against separate tours until there is only one."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    nodes = len(cost)
    arcs = nodes * nodes
    one = np.eye(nodes)
    leaving, entering = np.repeat(one, nodes, axis=1), np.tile(one, nodes)
    once: Any = LinearConstraint(np.concatenate([leaving, entering]), 1, 1)
    upper = 1.0 - one.ravel()
    cuts: list[Any] = []
    scale = cost.max() or 1.0
    while True:
        result: Any = milp(
            cost.ravel() / scale,
            integrality=np.ones(arcs, dtype=int),
            bounds=Bounds(0, upper),
            constraints=[once, *cuts],
        )
        following = result.x.reshape(nodes, nodes).argmax(axis=1)
        parts = _cycles(following)
        if len(parts) == 1:
            return np.array(parts[0])
        for part in parts:
            inside = np.zeros((nodes, nodes))
            inside[np.ix_(part, part)] = 1
            cuts.append(LinearConstraint(inside.ravel()[None], 0, len(part) - 1))


def _cycles(following: Ints) -> list[list[int]]:
    """Cycles of a permutation, the first with node 0."""
    left, cycles = set(range(len(following))), []
    while left:
        node = min(left)
        part = []
        while node in left:
            left.remove(node)
            part.append(node)
            node = int(following[node])
        cycles.append(part)
    return cycles
