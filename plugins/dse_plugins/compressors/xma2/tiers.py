"""Both tiers as they are charged and stored, whatever tells which processing elements (PEs) to write and what factors are."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array, DeltaCompressor, Difference, Key, Part, Sizes
from dse_plugins.compressors.shared.owners import by_owner
from dse_plugins.compressors.shared.tiling import Tiling
from dse_plugins.compressors.xma2 import factors
from dse_plugins.compressors.xma2.levels import FROZEN, REPROGRAMMED, RESIDENT, levels
from dse_plugins.compressors.xma2.options import Xma2Options

if TYPE_CHECKING:
    from torch import Tensor

RESIDENT_BITS = 8


class Place(NamedTuple):
    """One matrix of one owner, and where its PEs lie.

    Attributes:
        key: layer and matrix.
        owner: its place among those above the base; without groups, the task.
        level: (column blocks, row blocks) of every PE.
        inputs: row block of each input that is left.
        outputs: column block of each output.
        weights: matrices it is one of.
    """

    key: Key
    owner: int
    level: Tensor
    inputs: Tensor
    outputs: Tensor
    weights: plugin.Matrices

    @property
    def of_weights(self) -> Tensor:
        """Level of each weight, (outputs, inputs)."""
        return self.level[self.outputs][:, self.inputs]

    @property
    def live(self) -> Tensor:
        """Where factors are: the columns of frozen PEs of which rows are left, (row blocks, outputs)."""
        import torch

        some = torch.bincount(self.inputs, minlength=self.level.shape[1]) > 0
        return (self.level == FROZEN)[self.outputs].T & some[:, None]


class Tiers(DeltaCompressor):
    """Reprogrammed, resident and scaled blocks of the base."""

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self.options = options
        self.tiling = Tiling(options.tile_rows, options.tile_columns)
        self._encoder: plugin.Encoder | None = None

    @abstractmethod
    def places(self, encoder: plugin.Encoder, params: plugin.Params, *, measured: bool) -> Array:
        """Place of every PE in the order of what it does, (P, A, L, tiles) or what broadcasts to it."""

    @abstractmethod
    def kind(self, params: plugin.Params) -> Array:
        """What factors are, (P,)."""

    @abstractmethod
    def codes(self, place: Place, scale: Tensor, params: plugin.Params) -> Tensor:
        """What an owner's PEs hold, (outputs, inputs) on the base's grid."""

    @abstractmethod
    def factors(self, place: Place, held: Tensor, scale: Tensor, params: plugin.Params) -> Tensor:
        """Factors (row blocks, outputs) of what the base's arrays hold on their grid, as they are stored."""

    def bias(self, place: Place, made: Tensor, scale: Tensor, params: plugin.Params) -> Tensor | None:
        """What biases give back of what is lost by what was made of a matrix."""
        del place, made, scale, params
        return None

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Take, of every block of rows, the columns of resident PEs."""
        everything = levels(self.places(sizes.encoder, params, measured=sizes.demand.measured), params)
        top = 2.0 ** params["resident_bits"][:, None, None, None] - 1
        found = []
        for block in range(max(self.tiling.row_blocks(matrix) for matrix in sizes.encoder.matrices)):
            rows, columns = np.zeros(sizes.rows.shape), np.zeros(sizes.rows.shape)
            for index, matrix in enumerate(sizes.encoder.matrices):
                if block < self.tiling.row_blocks(matrix):
                    above, beside = self.tiling.select_kept(sizes.encoder, sizes.demand, index)
                    stays = self.tiling.of_matrix(everything, sizes.encoder, index)[..., block] == RESIDENT
                    rows[..., index] = above[..., block]
                    columns[..., index] = (beside * stays).sum(axis=-1)
            found.append(Part(rows, columns, ((rows > 0) & (columns > 0)) * top, sizes.columns))
        return tuple(found)

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Take the base whole, resident differences, blocks that are written, and a factor for each other column."""
        plain = super().footprint(workload, demand, geometry, params)
        params = by_owner(params, demand)
        encoder, used = workload.encoder, demand.used[:, 1:]
        everything = levels(self.places(encoder, params, measured=demand.measured), params)
        blocks = np.zeros((*demand.used.shape[:2], encoder.layers, everything.shape[-1]), dtype=bool)
        blocks[:, 1:] = (everything == REPROGRAMMED) & used[..., None]
        count = np.zeros(plain.digital_bits.shape)
        for index in range(len(encoder.matrices)):
            above, beside = self.tiling.select_kept(encoder, demand, index)
            frozen = self.tiling.of_matrix(everything, encoder, index) == FROZEN
            count[:, 1:, :, index] = used * (frozen * (above > 0)[..., None, :] * beside[..., None]).sum(axis=(-2, -1))
        kind = self.kind(params)[:, None, None, None]
        bits = sum((kind == name) * factors.bits_of(name, self.options.scale_bits) for name in factors.KINDS)
        return replace(
            plain,
            digital_bits=plain.digital_bits + count * bits,
            reprogrammed=plugin.Reprogrammed(*self.tiling, blocks.reshape(*blocks.shape[:2], -1)),
            scalings=count * (kind == "real"),
            shifts=count * ((kind == "shift") | (kind == "binary")),
        )

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the base whole; or what of an owner's matrices stays, is written, and is scaled."""
        stored = super().store(weights, base, geometry, params, owner)
        if owner == plugin.BASE:
            return stored
        params = by_owner(params, weights.demand)
        return {
            key: self._adapt(self._place(key, weights, params, owner - 1), stored[key], base[key], params)
            for key in weights
        }

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the differences of resident PEs, block of rows by block of rows."""
        assert self._encoder is not None
        top = 2 ** int(params["resident_bits"][0]) - 1
        place = self._place(difference.key, difference.weights, params, difference.place)
        nothing = plugin.Term(difference.codes[:0], difference.scale, 1, shared_scale=True)
        stays, codes, found = place.level == RESIDENT, None, []
        for block in range(max(self.tiling.row_blocks(matrix) for matrix in self._encoder.matrices)):
            rows = (place.inputs == block).nonzero()[:, 0]
            columns = stays[place.outputs, block].nonzero()[:, 0] if len(rows) else rows
            if not len(columns):
                found.append(nothing)
                continue
            if codes is None:
                codes = self.codes(place, difference.scale, params) - difference.of_base
            kept = codes[columns[:, None], rows].clamp(-top, top)
            found.append(plugin.Term(kept, difference.scale, top, columns=columns, rows=rows, shared_scale=True))
        return tuple(found)

    def _adapt(self, place: Place, stored: plugin.Stored, base: Tensor, params: plugin.Params) -> plugin.Stored:
        """Add what is written over the base, the factors of the rest, and what biases give back."""
        import torch

        scale, written = stored.terms[0].scale, place.level == REPROGRAMMED
        held = plugin.quantise(base, scale) * scale
        image = scaling = None
        made = held
        if (kind := str(self.kind(params)[0])) != "none":
            found = torch.where(place.live, self.factors(place, held, scale, params), torch.ones(()))
            bits = factors.bits_of(kind, self.options.scale_bits)
            scaling = plugin.Scaling(found, self.tiling.rows, place.live, bits, shifts=kind != "real")
            made = held * found[place.inputs].T
        if bool(written.any()):
            image = plugin.Image(self.codes(place, scale, params), scale, written)
            made = torch.where(place.of_weights == REPROGRAMMED, image.codes * scale, made)
        for term in stored.terms:
            if term.columns is not None:
                made[term.columns[:, None], term.rows] += term.codes * scale
        return replace(stored, image=image, scaling=scaling, bias=self.bias(place, made, scale, params))

    def _place(self, key: Key, weights: plugin.Matrices, params: plugin.Params, owner: int) -> Place:
        import torch

        assert self._encoder is not None
        found = levels(self.places(self._encoder, params, measured=weights.measured), params)[0, owner, key[0]]
        return Place(
            key,
            owner,
            torch.from_numpy(self.tiling.of_matrix(found, self._encoder, key[1])),
            weights.block_of(key, self.tiling.rows, inputs=True),
            weights.block_of(key, self.tiling.columns, inputs=False),
            weights,
        )


def resident_parameters() -> tuple[plugin.Parameter, ...]:
    """What may be chosen of PEs that are not written but stay."""
    return (
        plugin.Float(
            name="resident", low=0.0, high=0.5, default=0.0, limits=(0.0, 1.0), scope=("task",),
            summary="share of these that stay beside the base instead of being written over it",
        ),
        plugin.Int(
            name="resident_bits", low=1, high=4, default=3, limits=(1, RESIDENT_BITS), unit="bit",
            summary="magnitude bits of the differences that stay",
        ),
    )  # fmt: skip
