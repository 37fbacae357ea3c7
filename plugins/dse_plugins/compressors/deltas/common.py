"""Base class of compressors of deltas: the base whole in 8 bits, and the same stored parts for every other matrix."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dse import plugin
from dse_plugins.compressors.shared.owners import BaseGrids, above_base, by_owner, grid, store_base
from dse_plugins.shared import Array, Key, Tensor


class Sizes(NamedTuple):
    """Sizes of the matrices of the A owners above the base: groups, then tasks.

    Attributes:
        rows: number of kept inputs of each owner's matrices, shape (P, A, L, M).
        columns: number of kept outputs, shape (P, A, L, M).
        encoder: shapes of the whole matrices.
        demand: demand that the core derived from the plan.
    """

    rows: Array
    columns: Array
    encoder: plugin.Encoder
    demand: plugin.Demand

    @classmethod
    def of(cls, encoder: plugin.Encoder, demand: plugin.Demand) -> "Sizes":
        """Return the sizes that a plan asks for."""
        shape = (*demand.used.shape, len(encoder.matrices))
        rows, columns = (np.broadcast_to(count, shape)[:, 1:] for count in (demand.rows, demand.columns))
        return cls(rows, columns, encoder, demand)


class Part(NamedTuple):
    """One piece of every delta; each array has shape (P, A, L, M) or broadcasts to it.

    Attributes:
        rows: number of live wordlines.
        columns: number of live bitlines.
        magnitude: bound of the codes; 0 where nothing is stored.
        bits: bits of scales, offsets and indices.
        unsigned: whether codes have no sign.
        fed_by: index of the part whose outputs are the inputs of this part.
        digital: whether codes lie in SRAM.
    """

    rows: Array
    columns: Array
    magnitude: Array
    bits: Array
    unsigned: bool = False
    fed_by: int | None = None
    digital: bool = False


class Difference(NamedTuple):
    """Delta of one matrix from the base's effective matrix, with the matrix's place in the model.

    Attributes:
        values: delta, float32 (outputs, inputs).
        codes: delta on the base's 8-bit grid, int16 (outputs, inputs).
        of_base: codes of the base on its grid, int16 (outputs, inputs).
        scale: step of the base's grid.
        key: layer and index of the matrix.
        place: index of the owner among the owners above the base; without groups, the task.
        weights: all matrices of the owner, which know the outputs and inputs that are kept.
    """

    values: Tensor
    codes: Tensor
    of_base: Tensor
    scale: Tensor
    key: Key
    place: int
    weights: plugin.Matrices


class DeltaCompressor(plugin.Base, ABC):
    """Stores the base once in full, and the same parts for the matrices of every other owner.

    Attributes:
        least: parameters of tasks whose smaller values keep more; for all others the larger values keep more.
    """

    geometry_fields: tuple[str, ...] = ()
    least: tuple[str, ...] = ()
    _scales: BaseGrids

    @abstractmethod
    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Return the parts of each owner's matrices; parameters of tasks are given by owner, shape (P, A)."""

    @abstractmethod
    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store one delta of one design (P = 1): a term for each part, with ``fed_by`` as an index of parts.

        Parameters of tasks are given by owner, shape (1, A).
        """

    def adapt(self, stored: plugin.Stored, difference: Difference, params: plugin.Params) -> plugin.Stored:
        """Add the fields of a matrix above the base that are not terms; by default there are no such fields."""
        del difference, params
        return stored

    def prepare(self, context: plugin.Context) -> None:
        """Keep the base's grids, which are found on first use."""
        self._scales = BaseGrids(context)

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce the base in full 8 bits, and the parts of every other owner's matrices."""
        del geometry
        base = np.zeros((*demand.used.shape, demand.rows.shape[-1]))
        base[:, plugin.BASE] = demand.used[:, plugin.BASE, :, None]

        def place(values: Array) -> Array:
            whole = np.zeros(base.shape)
            whole[:, 1:] = demand.used[:, 1:, :, None] * values
            return whole

        pieces = [plugin.Piece(base * demand.rows, base * demand.columns, base * float(plugin.FULL_MAGNITUDE))]
        bits = plugin.SCALE_BITS * base
        sizes = Sizes.of(workload.encoder, demand)
        for part in self.parts(sizes, by_owner(params, demand, least=self.least)):
            live = part.magnitude > 0
            live_rows, live_columns, magnitude = (place(values * live) for values in part[:3])
            fed_by = None if part.fed_by is None else part.fed_by + 1
            pieces.append(plugin.Piece(live_rows, live_columns, magnitude, part.unsigned, fed_by, part.digital))
            bits = bits + place(part.bits * live)
        return plugin.Footprint(tuple(pieces), bits, above_base(demand))

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the base's codes, or the terms of another owner's matrices."""
        del geometry
        params = by_owner(params, weights.demand, least=self.least)
        stored = {}
        for key, weight in weights.items():
            scale = grid(self._scales, base, key)
            if owner == plugin.BASE:
                stored[key] = plugin.Stored((store_base(weight, scale),))
                continue
            parts = plugin.decompose(base[key], weight, scale=scale)
            difference = Difference(
                weight - parts.base * scale, parts.delta, parts.base, scale, key, owner - 1, weights
            )
            nothing = plugin.Term(parts.delta[:0], scale, 0, shared_scale=True)  # stands for the base's piece
            terms = (
                term if term.fed_by is None else replace(term, fed_by=term.fed_by + 1)
                for term in self.terms(difference, params)
            )
            stored[key] = self.adapt(plugin.Stored((nothing, *terms), on_base=True), difference, params)
        return stored
