"""Compressor ``bitdelta``: the sign of every weight's delta, times a scale.

Liu et al., "BitDelta: Your Fine-Tune May Only Be Worth One Bit", NeurIPS 2024; the scale is the mean magnitude, as
in the paper before its distillation, which trains. On crossbars a sign is twice an unsigned bit minus one: one array
holds the bit, and the sum of the inputs gives the rest.
"""

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes


class BitDelta(DeltaCompressor):
    """One bit for each weight of a delta."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare whether each matrix or each output channel has its own scale."""
        del workload
        return (
            plugin.Choice(
                name="scale", choices=("matrix", "channel"), default="matrix", summary="unit that has its own scale"
            ),
        )

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce one unsigned bit, a step and an offset."""
        channel = (params["scale"] == "channel")[:, None, None, None]
        bits = 2 * plugin.SCALE_BITS * np.where(channel, sizes.columns, 1.0)
        return (Part(sizes.rows, sizes.columns, np.ones(1), bits, unsigned=True),)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store each sign as a bit."""
        import torch

        values = difference.values
        channel = params["scale"][0] == "channel"
        size = values.abs().mean(dim=1, keepdim=True) if channel else values.abs().mean()
        return (plugin.Term((values > 0).to(torch.int16), 2 * size, 1, unsigned=True, offset=-size),)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="bitdelta",
        summary="one sign bit per weight, and a scale",
        build=BitDelta,
        source="Liu et al., BitDelta, NeurIPS 2024",
    )
