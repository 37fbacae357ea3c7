"""Compressor ``ternary``: the largest differences of each output as signs, times a scale of the output's own.

Yadav et al., "ComPEFT", 2023: keep the largest share of a difference, its signs, and one scale. There zeros are not stored;
on crossbars they take their cells all the same, so the share decides accuracy and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes


class Ternary(DeltaCompressor):
    """Signs of the largest differences."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Share of weights that keep their sign, for each task."""
        del workload
        return (
            plugin.Float(
                name="density", low=0.1, high=0.9, default=0.5, limits=(0.0, 1.0), scope=("task",),
                summary="share of each output's weights that keep the sign of their difference",
            ),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Take two signs and a scale for each output, however many are zero."""
        del params
        return (Part(sizes.rows, sizes.columns, np.ones(1), plugin.SCALE_BITS * sizes.columns),)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Keep each output's largest differences; their mean magnitude is the scale."""
        import torch

        size = difference.values.abs()
        kept = max(1, round(float(params["density"][0, difference.place]) * size.shape[1]))
        chosen = torch.zeros_like(size).scatter_(1, size.topk(kept, dim=1).indices, 1.0)
        scale = (size * chosen).sum(dim=1, keepdim=True) / kept
        return (plugin.Term((difference.values.sign() * chosen).to(torch.int16), scale, 1),)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="ternary",
        summary="signs of the largest differences, a scale for each output",
        build=Ternary,
        source="Yadav et al., ComPEFT, 2023",
    )
