"""Reprogramming: what is written over the base's arrays when one task is served after another, and how often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.cost.counts import FULL_MAGNITUDE, slices
from dse.cost.demand import kept_inputs, kept_outputs
from dse.records.arrays import Bools, Floats, Ints
from dse.records.demand import Demand
from dse.records.footprint import Footprint, Reprogrammed
from dse.records.geometry import Geometry
from dse.records.plan import BASE, DROPPED
from dse.records.schedule import Schedule
from dse.records.workload import Encoder, Workload

_BASE_BITS = 8


@dataclass(frozen=True, slots=True)
class Reprogramming:
    """What a switch from one task (axis 1) to the next (axis 2) writes over the base.

    Attributes:
        cells: (P, T, T) cells of the blocks that do not already hold what the next task needs.
        arrays: (P, T, T) arrays these blocks lie in.
        image_bits: (P, T, T) bits read from off-chip to write them.
        held_bits: (P,) bits of all images held off-chip, the base's own of the blocks that are ever written among them.
    """

    cells: Floats
    arrays: Floats
    image_bits: Floats
    held_bits: Floats


def reprogramming(workload: Workload, demand: Demand, footprint: Footprint, geometry: Geometry) -> Reprogramming | None:
    """Say what switches write over the base's arrays; None where a footprint reprograms nothing.

    A block that both tasks need with the same contents, the base's or the same owner's, is not written. Cost depends on the
    two tasks only: a task that skips a layer leaves the base's contents there.

    Args:
        workload: the tasks and their traffic.
        demand: what each owner stores, for P designs.
        footprint: arrays and pieces that the demand takes.
        geometry: sizes of arrays and cells, for P designs.
    """
    what = footprint.reprogrammed
    if what is None:
        return None
    contents = block_contents(demand, what)
    weights, planes = _weights(workload.encoder, demand, what), _planes(geometry)[:, None]
    columns = np.where(geometry.flip, 1 + 1 / geometry.columns, 1.0)[:, None]  # flip encoding's column is written too
    across = np.ceil(what.rows / geometry.rows) * np.ceil(what.columns / geometry.columns)
    cells = weights * planes * columns
    arrays = (weights > 0) * planes * across[:, None]
    read_bits = np.where(contents == BASE, _BASE_BITS, what.weight_bits + what.masks * _BASE_BITS)
    tasks = demand.tasks
    shape = (demand.points, tasks, tasks)
    found = Reprogramming(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(demand.points))
    for last in range(tasks):
        for after in range(tasks):
            written = contents[:, last] != contents[:, after]
            found.cells[:, last, after] = (written * cells).sum(axis=-1)
            found.arrays[:, last, after] = (written * arrays).sum(axis=-1)
            found.image_bits[:, last, after] = (written * weights * read_bits[:, after]).sum(axis=-1)
    own = (what.blocks * weights[:, None]).sum(axis=(1, 2)) * what.weight_bits
    found.held_bits[:] = own + (what.blocks.any(axis=1) * weights).sum(axis=-1) * _BASE_BITS
    return found


def block_contents(demand: Demand, what: Reprogrammed) -> Ints:
    """Whose weights each block holds while a task is served, (P, T, B): an owner's index, or `BASE`."""
    layers = demand.owner.shape[-1]
    owner = np.where(demand.owner == DROPPED, BASE, demand.owner)
    owners = np.repeat(owner, what.blocks.shape[-1] // layers, axis=-1)  # (P, T, B)
    written = np.take_along_axis(what.blocks, owners, axis=1)
    return np.asarray(np.where(written, owners, BASE))


def most_written(contents: Ints, schedule: Schedule) -> Floats:
    """How often the block that is written most is written in one cycle, (P,)."""
    points = np.arange(len(contents))
    times = np.zeros((len(contents), contents.shape[-1]))
    last = contents[points, schedule.task[:, -1]]
    for step in range(schedule.task.shape[1]):
        holds = contents[points, schedule.task[:, step]]
        times += holds != last
        last = holds
    return np.asarray(times.max(axis=-1, initial=0.0))


def blocks_of(encoder: Encoder, what: Reprogrammed) -> list[slice]:
    """Where the blocks of each matrix of a layer lie among those of the layer."""
    found, begin = [], 0
    for matrix in encoder.matrices:
        count = -(-matrix.rows // what.rows) * -(-matrix.columns // what.columns)
        found.append(slice(begin, begin + count))
        begin += count
    return found


def _weights(encoder: Encoder, demand: Demand, what: Reprogrammed) -> Floats:
    """Live weights of the base in every block, (P, B)."""
    parts = []
    for index, matrix in enumerate(encoder.matrices):
        rows = _live(kept_inputs(encoder, demand, index), matrix.rows, what.rows)
        columns = _live(kept_outputs(encoder, demand, index), matrix.columns, what.columns)
        product = columns[..., :, None] * rows[..., None, :]
        parts.append(product.reshape(*product.shape[:2], -1))
    used = demand.used[:, BASE]
    whole = [np.broadcast_to(part, (*used.shape, part.shape[-1])) for part in parts]
    blocks = np.concatenate(whole, axis=-1) * used[..., None]
    return np.asarray(blocks.reshape(len(used), -1))


def _live(kept: Bools | None, size: int, block: int) -> Floats:
    """Inputs, or outputs, of the base left in each block, (P, L, blocks) or (1, 1, blocks)."""
    mask = np.ones((1, 1, size)) if kept is None else kept[:, BASE].astype(float)
    return np.asarray(np.add.reduceat(mask, np.arange(0, size, block), axis=-1), dtype=float)


def _planes(geometry: Geometry) -> Floats:
    """Arrays (P,) that hold the slices and signs of a block of the base."""
    depth = slices(np.full(geometry.rows.shape, float(FULL_MAGNITUDE)), geometry.cell_bits, geometry.separate)
    return np.asarray(depth * np.where(geometry.separate, 2, 1))
