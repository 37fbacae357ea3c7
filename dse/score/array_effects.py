"""Effects of a whole array on its cells: one factor that takes back their drift, and the voltage drop along bitlines."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
ACTIVE = 0.5
"""Mean share of the other wordlines that are driven together with a cell's."""


def compensate(programmed: Array, aged: Array, rows: int, columns: int) -> Array:
    """Return, for each cell, the factor of its array: the sum of its conductances after programming over that at their age.

    Args:
        programmed: conductances right after programming, shape (outputs, inputs).
        aged: conductances of the same cells at their age, in the same unit.
        rows: wordlines of an array, which take inputs.
        columns: bitlines of an array, which take outputs.
    """
    before, after = (_sum_blocks(_sum_blocks(g, rows, 1), columns, 0) for g in (programmed, aged))
    factor = np.divide(before, after, out=np.ones_like(before), where=after > 0)
    outputs, inputs = (np.arange(size) for size in aged.shape)
    return np.asarray(factor[np.ix_(outputs // columns, inputs // rows)], dtype=np.float32)


def attenuate(g: Array, rows: int, ohm: float) -> Array:
    """Return the conductances that cells seem to have behind the resistance of their bitline, to the first order.

    The bitline's segment next to the sense amplifier is before wordline 0. A cell at wordline i sees the drop d, the sum over the
    cells j of its column of min(i, j) + 1 segments times their current: all of its own, and `ACTIVE` of each other. It seems to conduct
    g / (1 + d).

    Args:
        g: conductances, shape (outputs, inputs).
        rows: wordlines of an array.
        ohm: resistance of one segment times the unit of the conductances.
    """
    outputs, inputs = g.shape
    blocks = -(-inputs // rows)
    whole = np.zeros((outputs, blocks * rows), dtype=np.float64)
    whole[:, :inputs] = g
    cells = whole.reshape(outputs, blocks, rows)
    beyond = np.cumsum(cells[..., ::-1], axis=-1)[..., ::-1]  # current that each segment carries
    own = cells * np.arange(1, rows + 1)
    drop = ohm * (ACTIVE * np.cumsum(beyond, axis=-1) + (1 - ACTIVE) * own)
    return np.asarray((cells / (1 + drop)).reshape(outputs, -1)[:, :inputs], dtype=np.float32)


def _sum_blocks(values: Array, size: int, axis: int) -> Array:
    return np.asarray(np.add.reduceat(values, np.arange(0, values.shape[axis], size), axis=axis, dtype=np.float64))
