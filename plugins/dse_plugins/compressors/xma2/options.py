"""Options of `xma2`, which are fixed for a whole study."""

from typing import Annotated, Literal

from pydantic import Field

from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.shared.learning import LearningOptions

Share = Annotated[float, Field(ge=0, le=1)]


class Xma2Options(TileOptions, LearningOptions):
    """Options of ``xma2``.

    Attributes:
        tile_rows: wordlines of a processing element (PE); arrays of the hardware should have the same number.
        tile_columns: bitlines of a PE; arrays of the hardware should have the same number.
        rows: number of training rows of each task on which the effect of PEs is measured and factors are fitted.
        scale_bits: number of bits of a real factor.
        shares: trained route: shares of PEs with their own version that are trained; each takes one training of every
            task.
        factors: trained route: kind of the factors.
        route, passes, distil, seed: the options of `LearningOptions`.
    """

    scale_bits: int = Field(default=16, ge=2, le=32)
    shares: list[Share] = Field(default=[0.1], min_length=1)
    factors: Literal["none", "binary", "shift", "real"] = "real"
