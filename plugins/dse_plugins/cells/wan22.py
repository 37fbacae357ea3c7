"""Cell model ``wan22``: NeuRRAM's cells, which Wan et al. (Nature 2022) measured 1 s, 1 d and 2 d after programming."""

from typing import Any

import numpy as np
from pydantic import Field

from dse import plugin
from dse.plugin import Conductances

G_MAX_US = 40.0
"""Largest conductance of the measurements, uS."""
SIGMA_US = {
    1.0: (0.348, 16.030, -43.853, 45.393, -16.815),
    86400.0: (0.701, 22.086, -50.773, 47.095, -16.458),
    172800.0: (0.782, 20.274, -43.507, 37.062, -11.934),
}
"""Standard deviation in uS, by the age in s: coefficients of x^0 to x^4, x = g / 40 uS. IBM's aihwkit (inference/noise/reram.py)
fitted them to figures of the paper."""


class CellOptions(plugin.Options):
    """Options of every built-in cell model.

    Attributes:
        on_off_ratio: largest conductance over that of a cell that holds 0.
        stuck_on: share of cells stuck at the largest conductance.
        stuck_off: share of cells stuck at the conductance of 0.
        wire_ohm: resistance of the bitline between two neighbouring cells, ohm.
    """

    on_off_ratio: float = Field(default=40.0, gt=1)
    stuck_on: float = Field(default=0.0, ge=0, le=1)
    stuck_off: float = Field(default=0.0, ge=0, le=1)
    wire_ohm: float = Field(default=1.0, gt=0, allow_inf_nan=False)

    def device(self, g_max_us: float) -> dict[str, Any]:
        """Return the numbers of a device with this largest conductance."""
        stuck = {"stuck_on": self.stuck_on, "stuck_off": self.stuck_off}
        return {"g_min_us": g_max_us / self.on_off_ratio, "g_max_us": g_max_us, "wire_ohm": self.wire_ohm, **stuck}


class Wan22Options(CellOptions):
    """Options of ``wan22``.

    Attributes:
        stuck_on: share of cells stuck at the largest conductance; MNSIM 2.0 takes 0.001.
        stuck_off: share of cells stuck at the conductance of 0; MNSIM 2.0 takes 0.001.
        scale: factor of the measured standard deviation.
        read_noise: standard deviation of one read, as a share of the largest conductance; aihwkit advises about 0.01.
    """

    stuck_on: float = Field(default=0.001, ge=0, le=1)
    stuck_off: float = Field(default=0.001, ge=0, le=1)
    scale: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    read_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)


def build(options: Wan22Options) -> plugin.CellLaw:
    """Return the law: a normal deviation that grows with age, so that a cell keeps its rank; the mean does not drift."""

    def find_sigma(target: Conductances, age_s: float) -> Conductances:
        """Return the standard deviation, linear in the logarithm of the age between the measured ages and beyond them."""
        ages = np.log(list(SIGMA_US))
        index = int(np.searchsorted(ages, np.log(age_s)).clip(1, len(ages) - 1))
        share = (np.log(age_s) - ages[index - 1]) / (ages[index] - ages[index - 1])
        early, late = np.array(list(SIGMA_US.values()))[index - 1 : index + 1]
        x, sigma = target / np.float32(G_MAX_US), np.zeros_like(target)
        for coefficient in reversed(early + share * (late - early)):
            sigma *= x
            sigma += np.float32(coefficient)
        return sigma.clip(min=0) * np.float32(options.scale)

    def program(target: Conductances, normal: Conductances) -> Conductances:
        return target + find_sigma(target, 1.0) * normal

    def age(g: Conductances, target: Conductances, age_s: float, _: Conductances) -> Conductances:
        before, after = find_sigma(target, 1.0), find_sigma(target, age_s)
        return target + (g - target) * np.divide(after, before, out=np.ones_like(before), where=before > 0)

    def read_sigma(g: Conductances, _programmed: Conductances, _age_s: float) -> Conductances:
        return np.full_like(g, options.read_noise * G_MAX_US)

    numbers = options.device(G_MAX_US)
    return plugin.CellLaw(program=program, age=age, read_sigma=read_sigma, ages_s=tuple(SIGMA_US), **numbers)
