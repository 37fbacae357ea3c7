"""Compressor ``ternary``: the signs of each output's largest deltas, times a scale of the output.

Yadav et al., "ComPEFT", 2023: keep the largest part of a delta as signs, and one scale. ComPEFT stores no
zeros. On crossbars zeros take cells as well, so the kept share changes accuracy and nothing else.
"""

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes


class Ternary(DeltaCompressor):
    """Signs of the largest deltas."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the share of weights that keep their sign, for each task."""
        del workload
        return (
            plugin.Float(
                name="density", low=0.1, high=0.9, default=0.5, limits=(0.0, 1.0), scope=("task",),
                summary="share of each output's weights that keep the sign of their delta",
            ),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce cells of both signs and a scale for each output, whatever the number of zeros."""
        del params
        return (Part(sizes.rows, sizes.columns, np.ones(1), plugin.SCALE_BITS * sizes.columns),)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Keep the signs of each output's largest deltas; their mean magnitude is the scale."""
        import torch

        size = difference.values.abs()
        count = max(1, round(float(params["density"][0, difference.place]) * size.shape[1]))
        chosen = torch.zeros_like(size).scatter_(1, size.topk(count, dim=1).indices, 1.0)
        scale = (size * chosen).sum(dim=1, keepdim=True) / count
        return (plugin.Term((difference.values.sign() * chosen).to(torch.int16), scale, 1),)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="ternary",
        summary="signs of the largest deltas, with one scale per output",
        build=Ternary,
        source="Yadav et al., ComPEFT, 2023",
    )
