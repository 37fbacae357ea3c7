"""Compressor ``dare``: deltas dropped at random, and the rest scaled up to keep the mean.

Yu et al., "Language Models are Super Mario", ICML 2024 (drop and rescale). The rest has the same mean, and most of the
delta is zero. But zeros scattered over a crossbar free no array, so the method saves no area.
"""

import zlib
from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes


class Dare(DeltaCompressor):
    """Random drop and rescale of the integer deltas."""

    least = ("drop",)

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the share that is dropped, and the bits of the rest."""
        del workload
        return (
            plugin.Float(
                name="drop", low=0.0, high=0.9, default=0.5, limits=(0.0, 0.99), scope=("task",),
                summary="share of deltas dropped at random; the rest is divided by 1 minus this share",
            ),
            plugin.Int(
                name="bits", low=1, high=4, default=2, limits=(1, 8), scope=("task",), unit="bit",
                summary="magnitude bits of a delta",
            ),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce the cells of all deltas, dropped or not, and one scale: the base's, rescaled."""
        magnitude = 2.0 ** params["bits"][:, :, None, None] - 1
        return (Part(sizes.rows, sizes.columns, magnitude, np.array(plugin.SCALE_BITS)),)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Drop with a seed that is the delta's own hash: no place of a task in a file, and no name, moves a score."""
        import torch

        drop = float(params["drop"][0, difference.place])
        top = 2 ** int(params["bits"][0, difference.place]) - 1
        draw = torch.Generator().manual_seed(zlib.crc32(difference.codes.numpy().tobytes()))
        stays = torch.rand(difference.codes.shape, generator=draw) >= drop
        codes = difference.codes.clamp(-top, top) * stays
        return (plugin.Term(codes.to(torch.int16), difference.scale / (1 - drop), top),)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="dare",
        summary="deltas dropped at random and rescaled, which frees no array",
        build=Dare,
        source="Yu et al., DARE, ICML 2024",
    )
