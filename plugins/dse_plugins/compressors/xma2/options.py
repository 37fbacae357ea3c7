"""What is fixed for a whole study of `xma2`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.shared.learning import LearningOptions

Share = Annotated[float, Field(ge=0, le=1)]


class Xma2Options(TileOptions, LearningOptions):
    """Options of ``xma2``.

    Attributes:
        tile_rows: wordlines of a processing element (PE); arrays of the hardware should have as many.
        tile_columns: bitlines of a PE, likewise.
        rows: training rows of each task that tell what a PE does to the logits, and that factors are fitted on.
        scale_bits: bits of a real factor.
        shares: trained: shares of PEs with a version of their own that are trained for; each takes a training of every task.
        factors: trained: what factors may be.
        route, passes, distil, seed: as in `LearningOptions`.
    """

    scale_bits: int = Field(default=16, ge=2, le=32)
    shares: list[Share] = Field(default=[0.1], min_length=1)
    factors: Literal["none", "binary", "shift", "real"] = "real"
