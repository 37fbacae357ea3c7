"""What is fixed for a whole study of `xma2`."""

from __future__ import annotations

from pydantic import Field

from dse_plugins.compressors.deltas.tile_effects import TileOptions


class Xma2Options(TileOptions):
    """Options of ``xma2``.

    Attributes:
        tile_rows: wordlines of a processing element (PE); arrays of the hardware should have as many.
        tile_columns: bitlines of a PE, likewise.
        rows: training rows of each task that tell what a PE does to the logits, and that factors are fitted on.
        scale_bits: bits of a real factor.
    """

    scale_bits: int = Field(default=16, ge=2, le=32)
