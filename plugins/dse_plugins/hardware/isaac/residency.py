"""Residency: what stays on the chip, and what is written when another task comes.

A segment is one owner's layer. If the chip holds all segments nothing is ever written. Otherwise the segments that most
tasks need are pinned as far as they fit, and the rest of the chip is one swap region that holds what the last task
needed. The cost of task j after task i is then what j needs, i does not, and is not pinned: it depends on (i, j) only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Residency:
    """Outcome for P points.

    Attributes:
        written: (P, T, T) arrays written when the task of axis 2 follows that of axis 1.
        swapped: (P,) arrays whose image must be kept off-chip.
        missing: (P,) arrays by which the largest task exceeds the chip, <= 0 where it fits.
        resident: (P,) whether nothing is ever written.
    """

    written: Array
    swapped: Array
    missing: Array
    resident: Array


def needs(demand: plugin.Demand, on_base: Array) -> Array:
    """Which segments each task needs, (P, T, O, L): its owners' layers, and the base beneath deltas."""
    owner = demand.owner
    need = owner[:, :, None, :] == np.arange(demand.owners)[None, None, :, None]
    need[:, :, plugin.BASE] |= _gather_owner(on_base, owner) & (owner != plugin.DROPPED)
    return np.asarray(need)


def _gather_owner(values: Array, owner: Array) -> Array:
    """Value (P, T, L) of each task's owner from (P, O, L)."""
    points, _, layers = owner.shape
    return np.asarray(values[np.arange(points)[:, None, None], owner, np.arange(layers)])


def residency(need: Array, arrays: Array, capacity: Array) -> Residency:
    """Decide what is pinned and what is swapped.

    Args:
        need: (P, T, O, L) from `needs`.
        arrays: (P, O, L) arrays of each segment.
        capacity: (P,) arrays of the chip, infinite where it is made as large as the weights.
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
    kept = np.einsum("pis,pjs->pij", wanted.astype(float), moving, optimize=True)
    out.written[some] = moving.sum(axis=2)[:, None, :] - kept
    out.swapped[some] = (size * ~pinned * wanted.any(axis=1)).sum(axis=1)
    out.missing[some] = (wanted * size[:, None, :]).sum(axis=2).max(axis=1) - room
    return out


def _pin(wanted: Array, size: Array, room: Array) -> Array:
    """Greedily pin the segments most tasks need, earlier owners first, while the largest remaining need still fits."""
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
