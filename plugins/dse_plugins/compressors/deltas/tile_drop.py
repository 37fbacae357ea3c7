"""Compressor ``tile-drop``: ternary deltas without some array-sized blocks, chosen by norm or by measured effect.

After crossbar-aware pruning (Liang et al., "Crossbar-Aware Neural Network Pruning", IEEE Access 2018): weights are
removed in units of an array, so that every removed weight saves area.
"""

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.deltas.tiles import TileCompressor
from dse_plugins.shared import Array


class TileDrop(TileCompressor):
    """Blocks in one bit, or absent."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the share of its blocks that a task keeps, and the measure that orders them."""
        del workload
        return (
            plugin.Float(
                name="keep", low=0.1, high=1.0, default=0.6, limits=(0.0, 1.0), scope=("task",),
                summary="share of a task's array-sized blocks that are kept, over all its matrices",
            ),
            plugin.Choice(
                name="by", choices=("effect", "norm"), default="effect",
                summary="order of the blocks: by effect on the logits on training rows, or by norm of the delta",
            ),
        )  # fmt: skip

    def budget(self, params: plugin.Params) -> tuple[Array, Array]:
        """Return one bit for the share that is kept."""
        keep = params["keep"]
        return keep, np.broadcast_to(params["by"][:, None], keep.shape)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="tile-drop",
        summary="ternary deltas without some array-sized blocks",
        build=TileDrop,
        options=TileOptions,
        source="after Liang et al., Crossbar-Aware Neural Network Pruning, IEEE Access 2018",
    )
