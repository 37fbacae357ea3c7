"""Compressor ``dare``: differences dropped at random, the rest made larger by as much.

Yu et al., "Language Models are Super Mario", ICML 2024 (drop and rescale). What is left has the same mean, and most of the
difference is zero; but zeros scattered over a crossbar free no array, so this saves no area: it is here to show that.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes


class Dare(DeltaCompressor):
    """Random drop and rescale of the integer differences."""

    least = ("drop",)

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Share dropped, and bits of what is left."""
        del workload
        return (
            plugin.Float(
                name="drop", low=0.0, high=0.9, default=0.5, limits=(0.0, 0.99), scope=("task",),
                summary="share of differences dropped at random; the rest is divided by what is left of 1",
            ),
            plugin.Int(
                name="bits", low=1, high=4, default=2, limits=(1, 8), scope=("task",), unit="bit",
                summary="magnitude bits of a difference",
            ),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Take all cells, dropped or not, and one scale: the base's, rescaled."""
        magnitude = 2.0 ** params["bits"][:, :, None, None] - 1
        return (Part(sizes.rows, sizes.columns, magnitude, np.array(plugin.SCALE_BITS)),)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Drop by a seed that depends on owner and matrix alone."""
        import torch

        drop = float(params["drop"][0, difference.place])
        top = 2 ** int(params["bits"][0, difference.place]) - 1
        layer, matrix = difference.key
        draw = torch.Generator().manual_seed(10_000 * difference.place + 100 * layer + matrix)
        kept = torch.rand(difference.codes.shape, generator=draw) >= drop
        codes = difference.codes.clamp(-top, top) * kept
        return (plugin.Term(codes.to(torch.int16), difference.scale / (1 - drop), top),)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="dare",
        summary="differences dropped at random and rescaled; frees no array",
        build=Dare,
        source="Yu et al., DARE, ICML 2024",
    )
