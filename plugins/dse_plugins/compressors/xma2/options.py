"""What is fixed for a whole study of `xma2`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dse_plugins.compressors.deltas.tile_effects import TileOptions

Share = Annotated[float, Field(ge=0, le=1)]


class Xma2Options(TileOptions):
    """Options of ``xma2``.

    Attributes:
        tile_rows: wordlines of a processing element (PE); arrays of the hardware should have as many.
        tile_columns: bitlines of a PE, likewise.
        rows: training rows of each task that tell what a PE does to the logits, and that factors are fitted on.
        scale_bits: bits of a real factor.
        route: ``free``: from the fine-tuned weights, without training; ``trained``: learnt from the base on the task's rows.
        shares: trained: shares of PEs with a version of their own that are trained for; each takes a training of every task.
        factors: trained: what factors may be.
        passes: trained: times the epochs that fine-tuning takes.
        distil: trained: share of the loss that follows the outputs of the task's own fine-tuned model.
        seed: trained: of the order of rows and of new heads.
    """

    scale_bits: int = Field(default=16, ge=2, le=32)
    route: Literal["free", "trained"] = "free"
    shares: list[Share] = Field(default=[0.1], min_length=1)
    factors: Literal["none", "binary", "shift", "real"] = "real"
    passes: float = Field(default=1.0, gt=0)
    distil: float = Field(default=0.5, ge=0, le=1)
    seed: int = Field(default=0, ge=0)
