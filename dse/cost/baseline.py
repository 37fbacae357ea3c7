"""The baseline of every ratio: separate models, each whole in 8 bits on its own best grid, in the listed order.

Its arithmetic lives in the core; the plugins ``independent``, ``none`` and ``fixed`` are built from the same functions.
"""

from __future__ import annotations

import numpy as np

from dse.cost.counts import FULL_MAGNITUDE
from dse.records.arrays import Bools, Floats
from dse.records.demand import Demand
from dse.records.footprint import Footprint, Piece
from dse.records.plan import Plan
from dse.records.stored import SCALE_BITS
from dse.records.workload import Workload


def separate_models(workload: Workload, points: int) -> Plan:
    """Return the plan in which every task owns all its layers.

    Args:
        workload: the tasks and their traffic.
        points: number of designs P.
    """
    tasks = len(workload.tasks)
    owner = np.arange(1, tasks + 1)[None, :, None]
    return Plan(np.broadcast_to(owner, (points, tasks, workload.encoder.layers)))


def whole_footprint(
    demand: Demand, magnitude: Floats | float = FULL_MAGNITUDE, *, per_output: Bools | bool = False
) -> Footprint:
    """Return every owner's matrices in full 8 bits with one scale each; the base only where a task uses the base itself.

    Args:
        demand: matrices that each owner stores, for P designs.
        magnitude: bound on the codes, one or (P,): 2^bits - 1 for matrices in fewer magnitude bits.
        per_output: whether each output has its own scale, one or (P,); by default each matrix has one.
    """
    stored = demand.used.copy()
    stored[:, 0] = demand.direct
    held = np.repeat(stored[..., None].astype(float), demand.rows.shape[-1], axis=-1)
    bound, own = (np.reshape(value, (-1, 1, 1, 1)) for value in (magnitude, per_output))
    scales = np.where(own, demand.columns, held)
    piece = Piece(rows=held * demand.rows, columns=held * demand.columns, magnitude=held * bound)
    return Footprint((piece,), digital_bits=held * scales * SCALE_BITS, on_base=np.zeros_like(stored))
