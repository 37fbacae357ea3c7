"""Cell model ``pcm``: phase-change cells (Nandakumar et al., ICECS 2019; Joshi et al., Nature Communications 2020), by aihwkit's fits."""

import numpy as np
from pydantic import Field

from dse import plugin
from dse.plugin import Conductances
from dse_plugins.cells.wan22 import CellOptions

G_MAX_US = 25.0
"""Largest conductance, uS."""
PROGRAM_US = (0.26348, 1.9650, -1.1731)
"""Standard deviation after programming, uS: coefficients of x^0 to x^2, x = g / 25 uS."""
FIRST_S = 20.0
"""Time from programming to the first reading, from which drift counts, s."""
READ_S = 250e-9
"""Time of a read, s."""
LEAST = 1e-7
"""Smallest share of the largest conductance of which a logarithm is taken."""
YEAR_S = 365 * 86400.0


class PcmOptions(CellOptions):
    """Options of ``pcm``.

    Attributes:
        on_off_ratio: largest conductance over that of a cell that holds 0; reset cells are taken as nearly open.
    """

    on_off_ratio: float = Field(default=1e6, gt=1)


def build(options: PcmOptions) -> plugin.CellLaw:
    """Return the law: conductances fall as a power of time, with an exponent of each cell's own that follows from its target."""
    return plugin.CellLaw(
        program=program, age=age, read_sigma=read_sigma, ages_s=(1.0, YEAR_S), **options.device(G_MAX_US)
    )


def program(target: Conductances, normal: Conductances) -> Conductances:
    """Return programmed conductances."""
    sigma = np.polynomial.polynomial.polyval(target / np.float32(G_MAX_US), np.array(PROGRAM_US, np.float32))
    return np.asarray(target + sigma * normal)


def age(g: Conductances, target: Conductances, age_s: float, normal: Conductances) -> Conductances:
    """Let conductances drift."""
    log = np.log((target / np.float32(G_MAX_US)).clip(min=LEAST))
    mean, sigma = (-0.0155 * log + 0.0244).clip(0.049, 0.1), (-0.0125 * log - 0.0059).clip(0.008, 0.045)
    return np.asarray(g * np.exp(-np.float32(np.log1p(age_s / FIRST_S)) * np.abs(mean + sigma * normal)))


def read_sigma(g: Conductances, programmed: Conductances, age_s: float) -> Conductances:
    """Return 1/f noise, a share of the conductance that is larger at low conductances."""
    share = (0.0088 / ((programmed / np.float32(G_MAX_US)) ** 0.65).clip(min=1e-3)).clip(max=0.2)
    return np.asarray(g * share * np.float32(np.sqrt(np.log((age_s + FIRST_S + READ_S) / (2 * READ_S)))))
