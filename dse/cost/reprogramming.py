"""Reprogramming: the writes over the base's arrays when the chip switches from one task to the next.

These writes exist only under a compressor that writes blocks over the base. A chip that is smaller than its weights also
swaps whole arrays. The core does not count these swaps: the hardware model does, as in ``dse/charging/switches.py``.
"""

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
    """Writes over the base's arrays at a switch from one task (axis 1) to the next (axis 2).

    Attributes:
        cells: (P, T, T) cells of the blocks that do not already hold the weights of the next task.
        arrays: (P, T, T) arrays that these blocks lie in.
        image_bits: (P, T, T) bits read from off-chip to write these blocks.
        held_bits: (P,) bits of all images held off-chip, with the base's own image of every block that is ever written.
    """

    cells: Floats
    arrays: Floats
    image_bits: Floats
    held_bits: Floats


def reprogramming(workload: Workload, demand: Demand, footprint: Footprint, geometry: Geometry) -> Reprogramming | None:
    """Count the writes of switches over the base's arrays; None where a footprint reprograms nothing.

    A block that both tasks need with the same contents, the base's or the same owner's, is not written. Cost depends on the
    two tasks only: a task that skips a layer leaves the base's contents there.

    Args:
        workload: the tasks and their traffic.
        demand: matrices that each owner stores, for P designs.
        footprint: arrays and pieces that the demand takes.
        geometry: sizes of arrays and cells, for P designs.
    """
    images = footprint.reprogrammed
    if images is None:
        return None
    contents = block_contents(demand, images)
    weights, planes = _weights(workload.encoder, demand, images), _planes(geometry)[:, None]
    width = geometry.usable_columns
    columns = np.where(geometry.flip, 1 + 1 / width, 1.0)[:, None]  # flip encoding's column is written too
    across = np.ceil(images.rows / geometry.rows) * np.ceil(images.columns / width)
    cells = weights * planes * columns
    arrays = (weights > 0) * planes * across[:, None]
    read_bits = np.where(contents == BASE, _BASE_BITS, images.weight_bits + images.masks * _BASE_BITS)
    tasks = demand.tasks
    shape = (demand.points, tasks, tasks)
    writes = Reprogramming(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(demand.points))
    for last in range(tasks):
        for after in range(tasks):
            written = contents[:, last] != contents[:, after]
            writes.cells[:, last, after] = (written * cells).sum(axis=-1)
            writes.arrays[:, last, after] = (written * arrays).sum(axis=-1)
            writes.image_bits[:, last, after] = (written * weights * read_bits[:, after]).sum(axis=-1)
    own = (images.blocks * weights[:, None]).sum(axis=(1, 2)) * images.weight_bits
    writes.held_bits[:] = own + (images.blocks.any(axis=1) * weights).sum(axis=-1) * _BASE_BITS
    return writes


def block_contents(demand: Demand, images: Reprogrammed) -> Ints:
    """Return the owner of each block's weights while a task is served, (P, T, B): an index, or `BASE`."""
    layers = demand.owner.shape[-1]
    owner = np.where(demand.owner == DROPPED, BASE, demand.owner)
    owners = np.repeat(owner, images.blocks.shape[-1] // layers, axis=-1)  # (P, T, B)
    written = np.take_along_axis(images.blocks, owners, axis=1)
    return np.asarray(np.where(written, owners, BASE))


def most_written(contents: Ints, schedule: Schedule) -> Floats:
    """Count the writes of the most-written block in one turn, (P,)."""
    points = np.arange(len(contents))
    times = np.zeros((len(contents), contents.shape[-1]))
    last = contents[points, schedule.task[:, -1]]
    for step in range(schedule.task.shape[1]):
        holds = contents[points, schedule.task[:, step]]
        times += holds != last
        last = holds
    return np.asarray(times.max(axis=-1, initial=0.0))


def blocks_of(encoder: Encoder, images: Reprogrammed) -> list[slice]:
    """Return the place of each matrix's blocks among the blocks of its layer."""
    places, begin = [], 0
    for matrix in encoder.matrices:
        count = -(-matrix.rows // images.rows) * -(-matrix.columns // images.columns)
        places.append(slice(begin, begin + count))
        begin += count
    return places


def _weights(encoder: Encoder, demand: Demand, images: Reprogrammed) -> Floats:
    """Count the base's live weights in every block, (P, B)."""
    parts = []
    for index, matrix in enumerate(encoder.matrices):
        rows = _live(kept_inputs(encoder, demand, index), matrix.rows, images.rows)
        columns = _live(kept_outputs(encoder, demand, index), matrix.columns, images.columns)
        product = columns[..., :, None] * rows[..., None, :]
        parts.append(product.reshape(*product.shape[:2], -1))
    used = demand.used[:, BASE]
    whole = [np.broadcast_to(part, (*used.shape, part.shape[-1])) for part in parts]
    blocks = np.concatenate(whole, axis=-1) * used[..., None]
    return np.asarray(blocks.reshape(len(used), -1))


def _live(remaining: Bools | None, size: int, block: int) -> Floats:
    """Count the base's inputs, or outputs, that remain in each block, (P, L, blocks) or (1, 1, blocks)."""
    mask = np.ones((1, 1, size)) if remaining is None else remaining[:, BASE].astype(float)
    return np.asarray(np.add.reduceat(mask, np.arange(0, size, block), axis=-1), dtype=float)


def _planes(geometry: Geometry) -> Floats:
    """Count the arrays (P,) that hold the slices and signs of a block of the base."""
    depth = slices(np.full(geometry.rows.shape, float(FULL_MAGNITUDE)), geometry.cell_bits, geometry.separate)
    return np.asarray(depth * np.where(geometry.separate, 2, 1))
