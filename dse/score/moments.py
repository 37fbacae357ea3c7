"""Mean and variance of what a stored code reads as on a device, from the law of its cells by quadrature."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.records.arrays import Floats
from dse.score.device import Device

Array = NDArray[Any]
NODES, FARTHEST, AGE_NODES = 1001, 7.0, 41
"""Normal numbers of programming: how many, and the largest; and how many of age."""


@dataclass(frozen=True, slots=True)
class LevelMoments:
    """Moments of a cell by its level, in units of a level, stuck cells included, each of shape (levels,).

    Attributes:
        programmed: mean deviation from the level right after programming.
        shift: mean deviation from the level at the device's age.
        variance: variance of the deviation at that age.
        read_variance: mean variance of one read.
    """

    programmed: Floats
    shift: Floats
    variance: Floats
    read_variance: Floats


@dataclass(frozen=True, slots=True)
class CodeMoments:
    """Moments of a code, float32 arrays with one value per code.

    Attributes:
        mean: mean of what the code reads as.
        deviation: standard deviation over chips.
        read_variance: variance of one read.
    """

    mean: Array
    deviation: Array
    read_variance: Array


@lru_cache(maxsize=16)
def level_moments(device: Device, top: int) -> LevelMoments:
    """Integrate the law over its normal numbers, for levels 0 to ``top``."""
    program = np.linspace(-FARTHEST, FARTHEST, NODES)
    age, weights = np.polynomial.hermite_e.hermegauss(AGE_NODES if device.ages else 1)
    share = np.outer(np.exp(-(program**2) / 2), weights)
    share /= share.sum()
    target, normal, late = (
        np.ascontiguousarray(part, dtype=np.float32)
        for part in np.broadcast_arrays(
            device.levels_us(top)[:, None, None], program[None, :, None], age[None, None, :]
        )
    )
    programmed = device.program(target, normal)
    aged = device.age(programmed, target, late)
    unit, law, levels = top / device.unit_us, device.law, np.arange(top + 1, dtype=float)
    right = 1 - law.stuck_on - law.stuck_off

    def integrate(values: Array) -> Floats:
        return np.asarray(np.einsum("lpa,pa->l", values.astype(np.float64), share))

    def add_stuck(moment: Floats, off: Floats, on: Floats) -> Floats:
        return np.asarray(right * moment + law.stuck_off * off + law.stuck_on * on)

    first, later = ((g - target) * unit for g in (programmed, aged))
    shift = add_stuck(integrate(later), -levels, top - levels)
    around = integrate((later - shift[:, None, None]) ** 2)
    variance = add_stuck(around, (-levels - shift) ** 2, (top - levels - shift) ** 2)
    noise = integrate((device.read_sigma(aged, programmed) * unit) ** 2)
    return LevelMoments(add_stuck(integrate(first), -levels, top - levels), shift, variance, noise)


def code_moments(
    device: Device, top: int, codes: Array, planes: Sequence[tuple[float, Array]], counts: Array | None
) -> CodeMoments:
    """Return the moments of every code.

    Args:
        device: device of the cells.
        top: highest level of a cell.
        codes: the codes, ascending.
        planes: factor of each slice, its sign included, and each code's level in it.
        counts: how often the matrix holds each code, which decides the factors of compensation; None: no compensation.
    """
    cell = level_moments(device, top)
    off = device.law.g_min_us * top / device.unit_us
    mean, variance, read = codes.astype(np.float64), np.zeros(len(codes)), np.zeros(len(codes))
    for factor, levels in planes:
        stored, shift, gain = levels + off, cell.shift[levels], 1.0
        if counts is not None:
            gain = float(counts @ (stored + cell.programmed[levels]) / (counts @ (stored + shift)))
        mean += factor * (gain * (stored + shift) - stored if counts is not None else shift)
        variance += (factor * gain) ** 2 * cell.variance[levels]
        read += (factor * gain) ** 2 * cell.read_variance[levels]
    return CodeMoments(*(part.astype(np.float32) for part in (mean, np.sqrt(variance), read)))
