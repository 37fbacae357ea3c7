"""Compressor ``mixed-precision``: each array-sized block of a delta in the bits that help most, or absent.

After Zhu et al., "A Configurable Multi-Precision CNN Computing Framework Based on Single Bit RRAM", DAC 2019, which
chooses bits by layer. Here each block has its own bits, given in the order of the effect of one more bit on the logits.
"""

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.deltas.tiles import TileCompressor
from dse_plugins.shared import Array


class MixedPrecision(TileCompressor):
    """Blocks in up to three bits."""

    bits = (1, 2, 3)

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the mean bits of a task's blocks."""
        del workload
        return (
            plugin.Float(
                name="bits", low=0.2, high=1.5, default=1.0, limits=(0.0, float(len(self.bits))), scope=("task",),
                unit="bit", summary="magnitude bits of a task's array-sized blocks, mean over all its matrices",
            ),
        )  # fmt: skip

    def budget(self, params: plugin.Params) -> tuple[Array, Array]:
        """Return the mean bits; blocks are ordered by effect."""
        return params["bits"], np.full(params["bits"].shape, "effect")


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="mixed-precision",
        summary="deltas whose array-sized blocks each have their own number of bits",
        build=MixedPrecision,
        options=TileOptions,
        source="after Zhu et al., DAC 2019",
    )
