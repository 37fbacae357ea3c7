"""Cell model ``lognormal``: the logarithm of a conductance is normal, as FORMS (ISCA 2021) and ReCAT (TODAES 2024) assume."""

import numpy as np
from pydantic import Field

from dse import plugin
from dse.plugin import Conductances
from dse_plugins.cells.wan22 import G_MAX_US, CellOptions


class LognormalOptions(CellOptions):
    """Options of ``lognormal``.

    Attributes:
        sigma: standard deviation of the logarithm of a conductance. FORMS takes 0.1, ReCAT 0.05.
    """

    sigma: float = Field(default=0.1, ge=0, allow_inf_nan=False)


def build(options: LognormalOptions) -> plugin.CellLaw:
    """Return the law: the median is the target; nothing changes with time."""

    def program(target: Conductances, normal: Conductances) -> Conductances:
        return np.asarray(target * np.exp(np.float32(options.sigma) * normal))

    return plugin.CellLaw(program=program, **options.device(G_MAX_US))
