"""Compressor ``mixed-precision``: every array of a difference in as many bits as do good there, or none.

After Zhu et al., "A Configurable Multi-Precision CNN Computing Framework Based on Single Bit RRAM", DAC 2019, which
chooses bits by layer; here each array has its own, given in the order of what a bit more does to the logits.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array
from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.deltas.tiles import TileCompressor


class MixedPrecision(TileCompressor):
    """Tiles in up to three bits."""

    bits = (1, 2, 3)

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Mean bits of a task's tiles."""
        del workload
        return (
            plugin.Float(
                name="bits", low=0.2, high=1.5, default=1.0, limits=(0.0, float(len(self.bits))), scope=("task",),
                unit="bit", summary="magnitude bits of a task's tiles, mean over all its matrices",
            ),
        )  # fmt: skip

    def budget(self, params: plugin.Params) -> tuple[Array, Array]:
        """The mean bits, given by effect."""
        return params["bits"], np.full(params["bits"].shape, "effect")


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="mixed-precision",
        summary="differences with bits of their own for every array",
        build=MixedPrecision,
        options=TileOptions,
        source="after Zhu et al., DAC 2019",
    )
