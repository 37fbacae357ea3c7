"""The law of a memory cell: the conductance that a cell is programmed to, its age, and the noise of a read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Conductances: TypeAlias = NDArray[np.float32]
"""Conductances in uS, or standard normal numbers, of many cells: float32 arrays of one shape."""


def keep(g: Conductances, target: Conductances, age_s: float, normal: Conductances) -> Conductances:
    """Return conductances as they were programmed: cells do not change with time."""
    del target, age_s, normal
    return g


def read_exactly(g: Conductances, programmed: Conductances, age_s: float) -> Conductances:
    """Return the deviation of reads without noise: 0 for every cell."""
    del programmed, age_s
    return np.zeros_like(g)


@dataclass(frozen=True, kw_only=True)
class CellLaw:
    """The law of a cell and the numbers of its device, which a cell model builds.

    The law works on float32 arrays of one shape and returns an array of that shape. The core draws the normal numbers, keeps conductances
    at 0 or more, and adds stuck cells.

    Attributes:
        program: function of the targets, uS, and of a normal number per cell; it gives the conductances right after programming, uS.
        age: function of these conductances, the targets, the age in s and another normal number per cell, which is the same at
            every age; it gives the conductances at that age, uS.
        read_sigma: function of the conductances at an age, those right after programming and the age; it gives the standard
            deviation of one read, uS.
        g_min_us: conductance of a cell that holds 0, uS.
        g_max_us: largest conductance, uS.
        ages_s: ages at which the device was measured, ascending, s; empty if nothing changes with age.
        levels_us: targets at which the device was measured, ascending, uS; the law is linear between them. Empty for a formula.
        stuck_on: share of cells stuck at the largest conductance.
        stuck_off: share of cells stuck at the conductance of 0.
        wire_ohm: resistance of the bitline between two neighbouring cells, ohm; 0 if it was not measured.
    """

    program: Callable[[Conductances, Conductances], Conductances]
    age: Callable[[Conductances, Conductances, float, Conductances], Conductances] = keep
    read_sigma: Callable[[Conductances, Conductances, float], Conductances] = read_exactly
    g_min_us: float
    g_max_us: float
    ages_s: tuple[float, ...] = ()
    levels_us: tuple[float, ...] = ()
    stuck_on: float = 0.0
    stuck_off: float = 0.0
    wire_ohm: float = 0.0
