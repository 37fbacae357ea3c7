"""Compressor ``piggyback``: a binary mask over the base's weights, written into the arrays when its task is served.

Mallya et al., "Piggyback", ECCV 2018: one bit for every weight and task. A masked weight is zero and its cells must be
written, so every array is written; only the image off-chip is small. The crossbar-aware masks (XBM, XMA, XMA2) are
compared with this method. Without training a weight stays if it is closer to the fine-tuned weight than zero is. The
trained route learns a real-valued mask on the task's rows, starting from the base. A threshold makes the mask binary,
and gradients pass straight through the threshold, as in the paper.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes
from dse_plugins.compressors.deltas.tile_effects import TilingOptions
from dse_plugins.compressors.shared.learning import LearningOptions, cut, learn, refuse_others
from dse_plugins.shared import Tensor, name_of


class PiggybackOptions(TilingOptions, LearningOptions):
    """Options of ``piggyback``: the blocks of `TilingOptions`, and `LearningOptions`."""


class Piggyback(DeltaCompressor):
    """Keeps each of the base's weights or sets it to zero."""

    options: PiggybackOptions

    def __init__(self, options: PiggybackOptions) -> None:
        super().__init__(options)
        self.tiling = options.tiling
        self._learnt: list[plugin.Adapted] = []

    def prepare(self, context: plugin.Context) -> None:
        """Find the base's grids, and learn every task's mask on the trained route."""
        super().prepare(context)
        if self.options.route == "trained":
            from dse_plugins.compressors.piggyback.adapter import VERSION, Mask

            build = partial(Mask, scales=dict(self._scales))
            self._learnt = learn(context, self.options, {"piggyback": VERSION}, build)

    def learnt(self, params: plugin.Params, owner: int) -> plugin.Model | None:
        """Return the biases, norms and head that were learnt with a mask."""
        del params
        return self._learnt[owner - 1].model if self._learnt and owner != plugin.BASE else None

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Return no parts: the compressor needs no arrays besides those of the base."""
        del sizes, params
        return ()

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Return no terms: the compressor stores nothing besides the base."""
        del difference, params
        return ()

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce the whole base, and write every block of it."""
        refuse_others("piggyback", measured=demand.measured or self.options.route == "free")
        plain = super().footprint(workload, demand, geometry, params)
        blocks = np.repeat(plain.on_base, self.tiling.starts(workload.encoder)[-1], axis=-1)
        return replace(plain, reprogrammed=plugin.Reprogrammed(*self.tiling, blocks, weight_bits=1.0, masks=True))

    def adapt(self, stored: plugin.Stored, difference: Difference, params: plugin.Params) -> plugin.Stored:
        """Add the masked base as an image of every block."""
        import torch

        del params
        outputs, inputs = difference.weights.whole[difference.key].shape
        blocks = torch.ones(-(-outputs // self.tiling.columns), -(-inputs // self.tiling.rows), dtype=torch.bool)
        codes = (difference.of_base * self._stays(difference)).to(torch.int16)
        return replace(stored, image=plugin.Image(codes, difference.scale, blocks))

    def _stays(self, difference: Difference) -> Tensor:
        """Whether each of the base's weights stays, shape (outputs, inputs)."""
        key, weights = difference.key, difference.weights
        if not self._learnt:
            return (weights[key] - difference.of_base * difference.scale).abs() <= weights[key].abs()
        return cut(weights, key, self._learnt[difference.place].state[f"mask.{name_of(key)}"] > 0)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="piggyback",
        summary="one bit per weight keeps the base's weight or makes it zero",
        build=Piggyback,
        options=PiggybackOptions,
        source="Mallya et al., Piggyback, ECCV 2018",
    )
