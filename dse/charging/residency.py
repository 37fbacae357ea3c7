"""Residency of tiled chips: which arrays each task needs, and what is pinned."""

from __future__ import annotations

import numpy as np

from dse.charging.chip import Chip
from dse.charging.designs import Designs, of_tasks
from dse.charging.switches import Switches
from dse.cost.runs import compare_inputs
from dse.records.arrays import Bools, Floats
from dse.records.charges import Violation
from dse.records.demand import Demand
from dse.records.plan import BASE
from dse.records.residency import Residency


def needs(demand: Demand, on_base: Bools) -> Bools:
    """Whether each task needs each segment, shape (P, T, O, L): its owners' layers, and the base under deltas."""
    owner = demand.owner
    need = owner[:, :, None, :] == np.arange(demand.owners)[None, None, :, None]
    need[:, :, BASE] |= of_tasks(on_base, owner) > 0
    return np.asarray(need)


def describe_residency(designs: Designs, chip: Chip, switches: Switches) -> Residency:
    """Return what the visits of P designs need, with the tasks of the option ``pinned`` pinned."""
    tiles, points = designs.params["tiles"], designs.demand.points
    need = needs(designs.demand, designs.footprint.on_base).reshape(points, designs.demand.tasks, -1)
    stays = np.isin(designs.workload.task_names, designs.options.pinned)
    return Residency(
        need=need,
        arrays=chip.arrays.reshape(points, -1),
        pinned=np.asarray(need[:, stays].any(axis=1)),
        capacity=np.where(tiles > 0, tiles * designs.tile.arrays, np.inf),
        image_mb=switches.image_bytes * 1e-6,
        charge=switches.charge,
        same=compare_inputs(designs.workload, designs.demand),
    )


def find_missing(held: Residency) -> Violation:
    """Return the limit that a chip holds what is pinned, and beside it the largest task."""
    each = ((held.need | held.pinned[:, None]) * held.arrays[:, None]).sum(axis=2)
    reason = "the chip is smaller than the weights of its largest task and of what is pinned"
    return Violation("tiles", np.where(_is_resident(held), 0.0, each.max(axis=1) - held.capacity), reason)


def estimate_writes(held: Residency) -> Floats:
    """Estimate the arrays that a switch between two tasks writes, (P, T, T): what the next needs and the last does not.

    A scheduler that chooses an order task by task knows no turn. The core charges the turn that the scheduler returns.
    """
    need = held.need.astype(float)
    moving = need * (held.arrays * ~held.pinned * ~_is_resident(held)[:, None])[:, None]
    both = np.einsum("pis,pjs->pij", need, moving, optimize=True)
    return np.asarray(moving.sum(axis=2)[:, None, :] - both)


def _is_resident(held: Residency) -> Bools:
    """Whether the chip holds everything that its tasks need, (P,)."""
    return np.asarray((held.need.any(axis=1) * held.arrays).sum(axis=1) <= held.capacity)
