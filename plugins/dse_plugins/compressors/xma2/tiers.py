"""Charges and storage of both tiers, common to the routes; `levels` chooses the processing elements (PEs) that are written."""

from abc import abstractmethod
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes
from dse_plugins.compressors.shared.owners import by_owner
from dse_plugins.compressors.xma2 import factors
from dse_plugins.compressors.xma2.levels import FROZEN, REPROGRAMMED, RESIDENT, levels
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.shared import Array, Key

RESIDENT_BITS = 8


class Place(NamedTuple):
    """One matrix of one owner, and the PEs of its weights.

    Attributes:
        key: layer and index of the matrix.
        owner: index of the owner among the owners above the base; without groups, the task.
        level: level of every PE, shape (column blocks, row blocks).
        inputs: row block of each kept input.
        outputs: column block of each kept output.
        weights: all matrices of the owner.
    """

    key: Key
    owner: int
    level: Tensor
    inputs: Tensor
    outputs: Tensor
    weights: plugin.Matrices

    @property
    def of_weights(self) -> Tensor:
        """Level of each weight, shape (outputs, inputs)."""
        return self.level[self.outputs][:, self.inputs]

    @property
    def live(self) -> Tensor:
        """Whether a column has a factor: its PE is frozen and has kept rows, shape (row blocks, outputs)."""
        some = torch.bincount(self.inputs, minlength=self.level.shape[1]) > 0
        return (self.level == FROZEN)[self.outputs].T & some[:, None]


class Tiers(DeltaCompressor):
    """Reprogrammed, resident and scaled blocks of the base."""

    options: Xma2Options
    _encoder: plugin.Encoder

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self.tiling = options.tiling

    @abstractmethod
    def places(self, encoder: plugin.Encoder, params: plugin.Params, *, measured: bool) -> Array:
        """Place of every PE in the order of its effect, shape (P, A, L, PEs) or broadcast to it."""

    @abstractmethod
    def kind(self, params: plugin.Params) -> Array:
        """Kind of the factors, shape (P,)."""

    @abstractmethod
    def codes(self, place: Place, scale: Tensor, params: plugin.Params) -> Tensor:
        """Codes of an owner's PEs on the base's grid, shape (outputs, inputs)."""

    @abstractmethod
    def factors(self, place: Place, held: Tensor, scale: Tensor, params: plugin.Params) -> Tensor:
        """Factors of the matrix that the base's arrays hold, as they are stored, shape (row blocks, outputs)."""

    def bias(self, place: Place, made: Tensor, scale: Tensor, params: plugin.Params) -> Tensor | None:
        """Return the bias that makes up for the error of a rebuilt matrix, if there is one."""
        del place, made, scale, params
        return None

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce the columns of resident PEs, in one part for each block of rows."""
        everything = levels(self.places(sizes.encoder, params, measured=sizes.demand.measured), params)
        top = 2.0 ** params["resident_bits"][:, None, None, None] - 1
        parts = []
        for block in range(max(self.tiling.row_blocks(matrix) for matrix in sizes.encoder.matrices)):
            rows, columns = np.zeros(sizes.rows.shape), np.zeros(sizes.rows.shape)
            for index, matrix in enumerate(sizes.encoder.matrices):
                if block < self.tiling.row_blocks(matrix):
                    above, beside = self.tiling.select_kept(sizes.encoder, sizes.demand, index)
                    stays = self.tiling.of_matrix(everything, sizes.encoder, index)[..., block] == RESIDENT
                    rows[..., index] = above[..., block]
                    columns[..., index] = (beside * stays).sum(axis=-1)
            parts.append(Part(rows, columns, ((rows > 0) & (columns > 0)) * top, sizes.columns))
        return tuple(parts)

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce the whole base, resident deltas, the blocks that are written, and a factor for each other column."""
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

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the deltas of resident PEs, in one term for each block of rows."""
        top = 2 ** int(params["resident_bits"][0]) - 1
        place = self._place(difference, params)
        nothing = plugin.Term(difference.codes[:0], difference.scale, 1, shared_scale=True)
        stays, codes, terms = place.level == RESIDENT, None, []
        for block in range(max(self.tiling.row_blocks(matrix) for matrix in self._encoder.matrices)):
            rows = (place.inputs == block).nonzero()[:, 0]
            columns = stays[place.outputs, block].nonzero()[:, 0] if len(rows) else rows
            if not len(columns):
                terms.append(nothing)
                continue
            if codes is None:
                codes = self.codes(place, difference.scale, params) - difference.of_base
            clipped = codes[columns[:, None], rows].clamp(-top, top)
            terms.append(plugin.Term(clipped, difference.scale, top, columns=columns, rows=rows, shared_scale=True))
        return tuple(terms)

    def adapt(self, stored: plugin.Stored, difference: Difference, params: plugin.Params) -> plugin.Stored:
        """Add the image that is written over the base, the factors of the other PEs, and the bias."""
        place, scale = self._place(difference, params), difference.scale
        written, held = place.level == REPROGRAMMED, difference.of_base * scale
        image = scaling = None
        made = held
        if (kind := str(self.kind(params)[0])) != "none":
            values = torch.where(place.live, self.factors(place, held, scale, params), torch.ones(()))
            bits = factors.bits_of(kind, self.options.scale_bits)
            scaling = plugin.Scaling(values, self.tiling.rows, place.live, bits, shifts=kind != "real")
            made = held * values[place.inputs].T
        if bool(written.any()):
            image = plugin.Image(self.codes(place, scale, params), scale, written)
            made = torch.where(place.of_weights == REPROGRAMMED, image.codes * scale, made)
        for term in stored.terms:
            if term.columns is not None:
                made[term.columns[:, None], term.rows] += term.codes * scale
        return replace(stored, image=image, scaling=scaling, bias=self.bias(place, made, scale, params))

    def _place(self, difference: Difference, params: plugin.Params) -> Place:
        key, owner, weights = difference.key, difference.place, difference.weights
        in_layer = levels(self.places(self._encoder, params, measured=weights.measured), params)[0, owner, key[0]]
        level = torch.from_numpy(self.tiling.of_matrix(in_layer, self._encoder, key[1]))
        inputs = weights.block_of(key, self.tiling.rows, inputs=True)
        outputs = weights.block_of(key, self.tiling.columns, inputs=False)
        return Place(key, owner, level, inputs, outputs, weights)


def resident_parameters() -> tuple[plugin.Parameter, ...]:
    """Return the parameters of PEs that stay beside the base instead of being written."""
    return (
        plugin.Float(
            name="resident", low=0.0, high=0.5, default=0.0, limits=(0.0, 1.0), scope=("task",),
            summary="share of the task's own PEs that stay beside the base instead of being written over it",
        ),
        plugin.Int(
            name="resident_bits", low=1, high=4, default=3, limits=(1, RESIDENT_BITS), unit="bit",
            summary="magnitude bits of the deltas that stay",
        ),
    )  # fmt: skip
