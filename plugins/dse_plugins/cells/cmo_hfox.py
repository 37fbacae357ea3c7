"""Cell model ``cmo-hfox``: filamentary CMO/HfOx cells of IBM Research Zurich (Falcone et al.), by the fits of aihwkit."""

import numpy as np
from pydantic import Field

from dse import plugin
from dse.plugin import Conductances
from dse_plugins.cells.wan22 import CellOptions

G_MIN_US, G_MAX_US = 9.0, 88.19
"""Range of conductances, uS."""
PROGRAM_US = (0.00081107, 0.00106879)
"""Standard deviation after programming to 0.2 percent of the target, uS: constant and factor of the target."""
DRIFT_US = -0.08900206
"""Mean change of a conductance per unit of ln(age / 1 s), uS, the same for all levels."""
RELAXATION_US = (0.41183342, 0.04201137)
"""Standard deviation of that change, uS: at 1 s, and per unit of ln(age / 1 s)."""
READ_K, READ_S = 0.0277316483, 1e-6
"""Factor of the 1/f read noise, uS, and the time of a read, s (Lombardo et al., DRC 2024)."""
TEN_YEARS_S = 10 * 365 * 86400.0


class CmoHfoxOptions(CellOptions):
    """Options of ``cmo-hfox``.

    Attributes:
        on_off_ratio: largest conductance over that of a cell that holds 0.
    """

    on_off_ratio: float = Field(default=G_MAX_US / G_MIN_US, gt=1)


def build(options: CmoHfoxOptions) -> plugin.CellLaw:
    """Return the law: conductances relax with the logarithm of time, whatever their level; its authors extrapolate to ten years."""
    numbers = options.device(G_MAX_US)

    def program(target: Conductances, normal: Conductances) -> Conductances:
        return target + (np.float32(PROGRAM_US[0]) + np.float32(PROGRAM_US[1]) * target) * normal

    def age(g: Conductances, _: Conductances, age_s: float, normal: Conductances) -> Conductances:
        passed = np.log(age_s)
        moved = g + np.float32(DRIFT_US * passed) + np.float32(RELAXATION_US[0] + RELAXATION_US[1] * passed) * normal
        return moved.clip(min=numbers["g_min_us"], max=G_MAX_US)

    def read_sigma(g: Conductances, _: Conductances, age_s: float) -> Conductances:
        factor = np.float32(READ_K * np.sqrt(np.log((age_s + READ_S) / (2 * READ_S))))
        return np.asarray(np.log10(g.clip(min=1)) * factor)

    return plugin.CellLaw(program=program, age=age, read_sigma=read_sigma, ages_s=(1.0, TEN_YEARS_S), **numbers)
