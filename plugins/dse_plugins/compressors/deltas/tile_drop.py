"""Compressor ``tile-drop``: ternary differences of which whole arrays are left out, by norm or by measured effect.

After crossbar-aware pruning (Liang et al., "Crossbar-Aware Neural Network Pruning", IEEE Access 2018): what is removed is
removed in units of an array, so that all of it is saved.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array
from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.deltas.tiles import TileCompressor


class TileDrop(TileCompressor):
    """Tiles in one bit, or not at all."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Share of its tiles a task keeps, and what tells which."""
        del workload
        return (
            plugin.Float(
                name="keep", low=0.1, high=1.0, default=0.6, limits=(0.0, 1.0), scope=("task",),
                summary="share of a task's tiles that are kept, over all its matrices",
            ),
            plugin.Choice(
                name="by", choices=("effect", "norm"), default="effect",
                summary="what orders tiles: what they do to the logits on training rows, or the norm of the difference",
            ),
        )  # fmt: skip

    def budget(self, params: plugin.Params) -> tuple[Array, Array]:
        """One bit for the share kept."""
        keep = params["keep"]
        return keep, np.broadcast_to(params["by"][:, None], keep.shape)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="tile-drop",
        summary="ternary differences of which whole arrays are left out",
        build=TileDrop,
        options=TileOptions,
        source="after Liang et al., Crossbar-Aware Neural Network Pruning, IEEE Access 2018",
    )
