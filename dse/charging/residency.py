"""Residency: the arrays that stay on the chip, and the arrays that are written when another task is served.

A segment is one owner's layer. If the chip holds all segments, nothing is ever written. Otherwise the segments that
most tasks need are pinned as long as they fit, and the rest of the chip is one swap region with the other segments of
the last task. Task j after task i then writes the segments that j needs, i does not need, and the chip has not pinned:
the cost depends on (i, j) only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.charging.designs import of_tasks
from dse.records.arrays import Bools, Floats
from dse.records.demand import Demand
from dse.records.plan import BASE


@dataclass(frozen=True, slots=True)
class Residency:
    """Arrays that switches between tasks write, and whether the largest task fits, for P designs.

    Attributes:
        written: arrays written when the task of axis 2 follows the task of axis 1, shape (P, T, T).
        swapped: arrays whose image must be kept off-chip, shape (P,).
        missing: arrays by which the largest task exceeds the chip, shape (P,); at most 0 if it fits.
        resident: whether nothing is ever written, shape (P,).
    """

    written: Floats
    swapped: Floats
    missing: Floats
    resident: Bools


def needs(demand: Demand, on_base: Bools) -> Bools:
    """Whether each task needs each segment, shape (P, T, O, L): its owners' layers, and the base under deltas."""
    owner = demand.owner
    need = owner[:, :, None, :] == np.arange(demand.owners)[None, None, :, None]
    need[:, :, BASE] |= of_tasks(on_base, owner) > 0
    return np.asarray(need)


def residency(need: Bools, arrays: Floats, capacity: Floats) -> Residency:
    """Decide which segments are pinned and which are swapped.

    Args:
        need: needs of tasks from `needs`, shape (P, T, O, L).
        arrays: number of arrays of each segment, shape (P, O, L).
        capacity: number of arrays of the chip, shape (P,); infinite if the chip is made as large as the weights.
    """
    points, tasks = need.shape[:2]
    size = arrays.reshape(points, -1)
    out = Residency(
        written=np.zeros((points, tasks, tasks)),
        swapped=np.zeros(points),
        missing=np.zeros(points),
        resident=size.sum(axis=1) <= capacity,
    )
    some = np.flatnonzero(~out.resident)
    if not some.size:
        return out
    size, room = size[some], capacity[some]
    wanted = need[some].reshape(len(some), tasks, -1)
    pinned = _pin(wanted, size, room)
    moving = wanted * (size * ~pinned)[:, None, :]
    staying = np.einsum("pis,pjs->pij", wanted.astype(float), moving, optimize=True)
    out.written[some] = moving.sum(axis=2)[:, None, :] - staying
    out.swapped[some] = (size * ~pinned * wanted.any(axis=1)).sum(axis=1)
    out.missing[some] = (wanted * size[:, None, :]).sum(axis=2).max(axis=1) - room
    return out


def _pin(wanted: Bools, size: Floats, room: Floats) -> Bools:
    """Pin the segments that most tasks need, earlier owners first, while the largest remaining need still fits."""
    points = np.arange(len(size))
    users = wanted.sum(axis=1)
    order = np.argsort(-users, axis=1, kind="stable")
    pinned = np.zeros(size.shape, dtype=bool)
    held = np.zeros(len(size))
    left = (wanted * size[:, None, :]).sum(axis=2)
    for rank in range(size.shape[1]):
        segment = order[:, rank]
        extra = size[points, segment]
        remaining = left - wanted[points, :, segment] * extra[:, None]
        fits = (held + extra + remaining.max(axis=1) <= room) & (users[points, segment] > 0)
        pinned[points, segment] = fits
        held += extra * fits
        left = np.where(fits[:, None], remaining, left)
    return pinned
