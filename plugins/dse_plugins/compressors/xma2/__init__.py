"""Compressor ``xma2``: the base's arrays are written where a task needs it most, and scaled by columns elsewhere.

Zhang et al., "XMA2: A crossbar-aware multi-task adaption framework via 2-tier masks", Frontiers in Electronics 2022, of which
the abstract and the opening of the introduction are known to us. Tier 1 picks the processing elements (PEs) most critical
for a task, which are reprogrammed when it comes; tier 2 scales the columns of all others, whose weights stay. A PE is one
array-sized block with all its bit slices and signs. Beyond the paper a share of the picked PEs may stay resident beside the
base, as a difference in few bits, so that nothing is written for them. The paper adapts convolutional networks; here the
base encoder is adapted to each task, without training: PEs are ordered by what their difference does to the logits, and factors
are fitted by least squares to what the task's own matrices give.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

import dse
from dse_plugins.compressors.deltas.common import Array, DeltaCompressor, Difference, Key, Part, Sizes
from dse_plugins.compressors.deltas.tile_effects import measured
from dse_plugins.compressors.owners import by_owner
from dse_plugins.compressors.tiling import Tiling
from dse_plugins.compressors.xma2 import factors
from dse_plugins.compressors.xma2.levels import FROZEN, REPROGRAMMED, RESIDENT, levels, positions, spread
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.moments import input_moments

if TYPE_CHECKING:
    from torch import Tensor

RESIDENT_BITS = 8


class Xma2(DeltaCompressor):
    """Reprogrammed, resident and scaled blocks of the base."""

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self.options = options
        self.tiling = Tiling(options.tile_rows, options.tile_columns)
        self._encoder: dse.Encoder | None = None
        self._places: dict[str, Array] = {}
        self._moments: list[dict[str, Array]] = []

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Both tiers' budgets, for each task, and what factors may be."""
        del workload
        return (
            dse.Float(
                name="share", low=0.0, high=0.3, default=0.1, limits=(0.0, 1.0), scope=("task",),
                summary="tier 1: share of a task's PEs that have a version of their own",
            ),
            dse.Float(
                name="resident", low=0.0, high=0.5, default=0.0, limits=(0.0, 1.0), scope=("task",),
                summary="share of these that stay beside the base instead of being written over it",
            ),
            dse.Int(
                name="resident_bits", low=1, high=4, default=3, limits=(1, RESIDENT_BITS), unit="bit",
                summary="magnitude bits of the differences that stay",
            ),
            dse.Choice(
                name="factors", choices=factors.KINDS, default="real",
                summary="tier 2: factors of the other PEs' columns: none, 0 or 1, what two shifts make, or real",
            ),
            dse.Choice(
                name="by", choices=("effect", "norm"), default="effect",
                summary="what orders PEs: what they do to the logits on training rows, or the norm of the difference",
            ),
            dse.Choice(
                name="bias", choices=(True, False), default=True, summary="move the mean of what is lost into biases"
            ),
        )  # fmt: skip

    def prepare(self, context: dse.Context) -> None:
        """Measure, once for each task, what every PE does to the logits, and the moments of every input."""
        super().prepare(context)
        workload, options = context.workload, self.options
        tables, moments = [], []
        where = {matrix.input: index for index, matrix in enumerate(workload.encoder.matrices)}
        for task, name in enumerate(workload.task_names):
            key = {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}
            make = partial(measured, context, task, self._scales, options, ())
            tables.append(context.cached(f"effects of PEs of {name}", key | options.model_dump(), make))
            make = partial(input_moments, context, (task,), options.rows, where)
            moments.append(context.cached(f"inputs of {name}", key | {"rows": options.rows}, make))
        self._encoder, self._moments = workload.encoder, moments
        self._places = {
            by: np.stack([positions(table[by][0]) for table in tables]) for by in ("norm", "effect")
        }  # (T, L, tiles)

    def parts(self, sizes: Sizes, params: dse.Params) -> tuple[Part, ...]:
        """Take, of every block of rows, the columns of resident PEs."""
        everything = self._levels(sizes.encoder, sizes.demand, params)
        top = 2.0 ** params["resident_bits"][:, None, None, None] - 1
        found = []
        for block in range(max(self.tiling.row_blocks(matrix) for matrix in sizes.encoder.matrices)):
            rows, columns = np.zeros(sizes.rows.shape), np.zeros(sizes.rows.shape)
            for index, matrix in enumerate(sizes.encoder.matrices):
                if block < self.tiling.row_blocks(matrix):
                    above, beside = self.tiling.kept(sizes.encoder, sizes.demand, index)
                    stays = self.tiling.of_matrix(everything, sizes.encoder, index)[..., block] == RESIDENT
                    rows[..., index] = above[..., block]
                    columns[..., index] = (beside * stays).sum(axis=-1)
            found.append(Part(rows, columns, ((rows > 0) & (columns > 0)) * top, sizes.columns))
        return tuple(found)

    def footprint(
        self, workload: dse.Workload, demand: dse.Demand, geometry: dse.Geometry, params: dse.Params
    ) -> dse.Footprint:
        """Take the base whole, resident differences, blocks that are written, and a factor for each other column."""
        plain = super().footprint(workload, demand, geometry, params)
        params = by_owner(params, demand)
        encoder, used = workload.encoder, demand.used[:, 1:]
        everything = self._levels(encoder, demand, params)
        blocks = np.zeros((*demand.used.shape[:2], encoder.layers, everything.shape[-1]), dtype=bool)
        blocks[:, 1:] = (everything == REPROGRAMMED) & used[..., None]
        count = np.zeros(plain.digital_bits.shape)
        for index in range(len(encoder.matrices)):
            above, beside = self.tiling.kept(encoder, demand, index)
            frozen = self.tiling.of_matrix(everything, encoder, index) == FROZEN
            count[:, 1:, :, index] = used * (frozen * (above > 0)[..., None, :] * beside[..., None]).sum(axis=(-2, -1))
        kind = params["factors"][:, None, None, None]
        bits = sum((kind == name) * factors.bits_of(name, self.options.scale_bits) for name in factors.KINDS)
        return replace(
            plain,
            digital_bits=plain.digital_bits + count * bits,
            reprogrammed=dse.Reprogrammed(*self.tiling, blocks.reshape(*blocks.shape[:2], -1)),
            scalings=count * (kind == "real"),
            shifts=count * ((kind == "shift") | (kind == "binary")),
        )

    def store(
        self, weights: dse.Matrices, base: dse.Matrices, geometry: dse.Geometry, params: dse.Params, owner: int
    ) -> dict[Key, dse.Stored]:
        """Store the base whole; or what of an owner's matrices stays, is written, and is scaled."""
        stored = super().store(weights, base, geometry, params, owner)
        if owner == dse.BASE:
            return stored
        params = by_owner(params, weights.demand)
        return {key: self._adapted(key, stored[key], weights, base, params, owner - 1) for key in weights}

    def terms(self, difference: Difference, params: dse.Params) -> tuple[dse.Term, ...]:
        """Store the differences of resident PEs, block of rows by block of rows."""
        assert self._encoder is not None
        top = 2 ** int(params["resident_bits"][0]) - 1
        stays = self._of_owner(difference.key, difference.weights, params, difference.place) == RESIDENT
        inputs = difference.weights.block_of(difference.key, self.tiling.rows, inputs=True)
        outputs = difference.weights.block_of(difference.key, self.tiling.columns, inputs=False)
        nothing = dse.Term(difference.codes[:0], difference.scale, 1, shared_scale=True)
        found = []
        for block in range(max(self.tiling.row_blocks(matrix) for matrix in self._encoder.matrices)):
            rows = (inputs == block).nonzero()[:, 0]
            columns = stays[outputs, block].nonzero()[:, 0] if len(rows) else rows
            if not len(columns):
                found.append(nothing)
                continue
            codes = difference.codes[columns[:, None], rows].clamp(-top, top)
            found.append(dse.Term(codes, difference.scale, top, columns=columns, rows=rows, shared_scale=True))
        return tuple(found)

    def _adapted(
        self, key: Key, stored: dse.Stored, weights: dse.Matrices, base: dse.Matrices, params: dse.Params, place: int
    ) -> dse.Stored:
        """Add what is written over the base, the factors of the rest, and what biases give back."""
        import torch

        scale = stored.terms[0].scale
        blocks = self._of_owner(key, weights, params, place)
        inputs = weights.block_of(key, self.tiling.rows, inputs=True)
        outputs = weights.block_of(key, self.tiling.columns, inputs=False)
        level = blocks[outputs][:, inputs]  # (outputs, inputs)
        codes = dse.quantise(weights[key], scale).to(torch.int16)
        image = dse.Image(codes, scale, blocks == REPROGRAMMED) if bool((blocks == REPROGRAMMED).any()) else None
        held = dse.quantise(base[key], scale) * scale
        mean, covariance = self._inputs_of(key, weights, place)
        scaling = None
        if (kind := str(params["factors"][0])) != "none":
            sizes = torch.bincount(inputs, minlength=blocks.shape[1])
            live = (blocks == FROZEN)[outputs].T & (sizes > 0)[:, None]
            frozen = level == FROZEN
            found = factors.fitted(held * frozen, weights[key] * frozen, covariance, sizes.tolist())
            found = torch.where(live, factors.rounded(found, kind), torch.ones(()))
            bits = factors.bits_of(kind, self.options.scale_bits)
            scaling = dse.Scaling(found, self.tiling.rows, live, bits, shifts=kind != "real")
            held = held * found[inputs].T
        bias = None
        if bool(params["bias"][0]) and mean is not None:
            made = torch.where(level == REPROGRAMMED, codes * scale, held)
            for term in stored.terms:
                if term.columns is not None:
                    made[term.columns[:, None], term.rows] += term.codes * scale
            bias = (weights[key] - made) @ mean
        return replace(stored, image=image, scaling=scaling, bias=bias)

    def _inputs_of(self, key: Key, weights: dse.Matrices, place: int) -> tuple[Tensor | None, Tensor]:
        """Mean and covariance of a matrix's inputs; of inputs that were not observed nothing, and all alike."""
        import torch

        if not weights.measured:
            return None, torch.eye(weights[key].shape[1])
        assert self._encoder is not None
        layer, name = key[0], self._encoder.matrices[key[1]].input
        table = self._moments[place]
        mean, covariance = (torch.from_numpy(table[f"{name}_{what}"][layer]) for what in ("mean", "covariance"))
        kept = weights.inputs.get(key)
        return (mean, covariance) if kept is None else (mean[kept], covariance[kept][:, kept])

    def _levels(self, encoder: dse.Encoder, demand: dse.Demand, params: dse.Params) -> Array:
        """Level of every PE, (P, A, L, tiles). Before anything is measured, or of other weights, places are spread."""
        if demand.measured and self._places:
            by = params["by"][:, None, None, None]
            places = np.where(by == "norm", self._places["norm"], self._places["effect"])
        else:
            places = spread(encoder.layers, self.tiling.starts(encoder)[-1])[None, None]
        return levels(places, params)

    def _of_owner(self, key: Key, weights: dse.Matrices, params: dse.Params, place: int) -> Tensor:
        """Level of a matrix's PEs, (column blocks, row blocks)."""
        import torch

        assert self._encoder is not None
        if weights.measured:
            places = self._places[str(params["by"][0])][None]
        else:
            places = spread(self._encoder.layers, self.tiling.starts(self._encoder)[-1])[None, None]
        found = levels(places, params)[0, place, key[0]]
        return torch.from_numpy(self.tiling.of_matrix(found, self._encoder, key[1]))


@dse.hookimpl
def dse_compressors() -> Iterable[dse.Compressor]:
    """Yield the one compressor."""
    yield dse.Compressor(
        name="xma2",
        summary="PEs of the base that are reprogrammed for a task, and factors of the other PEs' columns",
        build=Xma2,
        options=Xma2Options,
        source="Zhang et al., XMA2, Frontiers in Electronics 2022",
    )
