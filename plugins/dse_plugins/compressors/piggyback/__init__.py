"""Compressor ``piggyback``: a binary mask over the base's weights for each task, written into the arrays when it comes.

Mallya et al., "Piggyback", ECCV 2018: one bit for every weight and task. A masked weight is zero, and cells that hold it must
be written, so every array is; what is small is the image off-chip. The comparison of the family of crossbar-aware masks (XBM,
XMA, XMA2). Without training a weight stays where it is closer to the fine-tuned one than zero is; trained, a real mask is
learnt from the base on the task's rows and cut at a threshold, straight-through, as in the paper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Key, Part, Sizes
from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.shared.learning import LearningOptions, learn, refuse_others
from dse_plugins.compressors.shared.tiling import Tiling

if TYPE_CHECKING:
    from torch import Tensor


class PiggybackOptions(TileOptions, LearningOptions):
    """Options of ``piggyback``: tiles as in `TileOptions`, and `LearningOptions`."""


class Piggyback(DeltaCompressor):
    """The base's weights, or zero."""

    def __init__(self, options: PiggybackOptions) -> None:
        super().__init__(options)
        self.options = options
        self.tiling = Tiling(options.tile_rows, options.tile_columns)
        self._learnt: list[plugin.Adapted] = []

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Nothing to choose."""
        del workload
        return ()

    def prepare(self, context: plugin.Context) -> None:
        """Find the base's grids, and learn every task's mask where they are learnt."""
        super().prepare(context)
        if self.options.route == "trained":
            from dse_plugins.compressors.piggyback.adapter import VERSION, Mask

            build = partial(Mask, scales=self._scales)
            self._learnt = learn(context, self.options, {"piggyback": VERSION}, build)

    def learnt(self, params: plugin.Params, owner: int) -> plugin.Model | None:
        """Biases, norms and head that were learnt with a mask."""
        del params
        return self._learnt[owner - 1].model if self._learnt and owner != plugin.BASE else None

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Take no arrays beside the base."""
        del sizes, params
        return ()

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store nothing beside the base."""
        del difference, params
        return ()

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Take the base whole, and write every block of it."""
        refuse_others("piggyback", measured=demand.measured or self.options.route == "free")
        plain = super().footprint(workload, demand, geometry, params)
        blocks = np.repeat(plain.on_base, self.tiling.starts(workload.encoder)[-1], axis=-1)
        return replace(plain, reprogrammed=plugin.Reprogrammed(*self.tiling, blocks, weight_bits=1.0, masks=True))

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the base whole, or what is left of it."""
        import torch

        stored = super().store(weights, base, geometry, params, owner)
        if owner == plugin.BASE:
            return stored
        for key in weights:
            scale = stored[key].terms[0].scale
            codes = plugin.quantise(base[key], scale)
            stays = self._stays(key, weights, codes * scale, owner)
            outputs, inputs = (base.whole[key].shape[0], base.whole[key].shape[1])
            blocks = torch.ones(-(-outputs // self.tiling.columns), -(-inputs // self.tiling.rows), dtype=torch.bool)
            stored[key] = replace(stored[key], image=plugin.Image((codes * stays).to(torch.int16), scale, blocks))
        return stored

    def _stays(self, key: Key, weights: plugin.Matrices, held: Tensor, owner: int) -> Tensor:
        """Where the base's weights stay, (outputs, inputs)."""
        weight = weights[key]
        if not self._learnt:
            return (weight - held).abs() <= weight.abs()
        found = self._learnt[owner - 1].state[f"mask.{key[0]}-{key[1]}"] > 0
        found = weights.of_outputs(key, found)
        return found[:, weights.inputs[key]] if key in weights.inputs else found


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="piggyback",
        summary="a bit for every weight says whether it is the base's or zero",
        build=Piggyback,
        options=PiggybackOptions,
        source="Mallya et al., Piggyback, ECCV 2018",
    )
