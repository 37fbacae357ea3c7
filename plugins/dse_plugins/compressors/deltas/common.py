"""What compressors of differences share: the base whole in 8 bits, and the same stored parts for every other matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.compressors.shared.owners import by_owner, grid

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
Key = tuple[int, int]


class Sizes(NamedTuple):
    """What there is to store of the A owners above the base: groups, then tasks.

    Attributes:
        rows: (P, A, L, M) inputs kept of each owner's matrices.
        columns: (P, A, L, M) outputs kept.
        encoder: shapes of the whole matrices.
        demand: of the core.
    """

    rows: Array
    columns: Array
    encoder: plugin.Encoder
    demand: plugin.Demand

    @classmethod
    def of(cls, encoder: plugin.Encoder, demand: plugin.Demand) -> Sizes:
        """Sizes of what a plan asks for."""
        shape = (*demand.used.shape, len(encoder.matrices))
        rows, columns = (np.broadcast_to(kept, shape)[:, 1:] for kept in (demand.rows, demand.columns))
        return cls(rows, columns, encoder, demand)


class Part(NamedTuple):
    """One piece of every difference, each (P, A, L, M) or what broadcasts to it.

    Attributes:
        rows: live wordlines.
        columns: live bitlines.
        magnitude: bound of the codes; 0 where nothing is stored.
        bits: of scales, offsets and indices.
        unsigned: whether codes have no sign.
        fed_by: index of the part that feeds it.
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
    """One matrix's difference from the base's effective matrix, and what it is known by.

    Attributes:
        values: float32 (outputs, inputs).
        codes: int16 (outputs, inputs), the difference on the base's 8-bit grid.
        of_base: likewise the base.
        scale: step of that grid.
        key: layer and matrix.
        place: of its owner among those above the base; without groups, the task.
        weights: matrices it is one of, which know what outputs and inputs are left.
    """

    values: Tensor
    codes: Tensor
    of_base: Tensor
    scale: Tensor
    key: Key
    place: int
    weights: plugin.Matrices


class DeltaCompressor(ABC):
    """Stores the base once in full, and the same parts for the matrices of every other owner.

    Attributes:
        least: parameters of tasks that keep more the smaller they are; of the others, the larger.
    """

    geometry_fields: tuple[str, ...] = ()
    least: tuple[str, ...] = ()

    def __init__(self, options: plugin.Options) -> None:
        del options
        self._scales: dict[Key, Tensor] = {}

    @abstractmethod
    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare what a search may choose."""

    @abstractmethod
    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Say what each owner's matrices take; parameters of tasks are given by owner, (P, A)."""

    @abstractmethod
    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store one difference for one point (P = 1): a term for each part, ``fed_by`` counted as parts are.

        Parameters of tasks are given by owner, (1, A).
        """

    def prepare(self, context: plugin.Context) -> None:
        """Find the base's grids."""
        self._scales = {key: plugin.best_scale(weight) for key, weight in context.base_weights().items()}

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Take the base in full 8 bits, and the parts of every other owner's matrices."""
        del geometry
        own = slice(1, None)
        shape = (*demand.used.shape, demand.rows.shape[-1])
        rows, columns = (np.broadcast_to(kept, shape) for kept in (demand.rows, demand.columns))
        base = np.zeros(shape)
        base[:, plugin.BASE] = demand.used[:, plugin.BASE, :, None]
        used = np.broadcast_to(demand.used[:, own, :, None], (*demand.used[:, own].shape, shape[-1]))

        def placed(values: Array) -> Array:
            whole = np.zeros(shape)
            whole[:, own] = used * values
            return whole

        pieces = [plugin.Piece(base * rows, base * columns, base * float(plugin.FULL_MAGNITUDE))]
        bits = plugin.SCALE_BITS * base
        sizes = Sizes.of(workload.encoder, demand)
        for part in self.parts(sizes, by_owner(params, demand, least=self.least)):
            live = part.magnitude > 0
            live_rows, live_columns, magnitude = (placed(values * live) for values in part[:3])
            fed_by = None if part.fed_by is None else part.fed_by + 1
            pieces.append(plugin.Piece(live_rows, live_columns, magnitude, part.unsigned, fed_by, part.digital))
            bits = bits + placed(part.bits * live)
        on_base = demand.used.copy()
        on_base[:, plugin.BASE] = False
        return plugin.Footprint(tuple(pieces), bits, on_base)

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the base's codes, or the terms of another owner's matrices."""
        import torch

        del geometry
        params = by_owner(params, weights.demand, least=self.least)
        stored = {}
        for key, weight in weights.items():
            scale = grid(self._scales, base, key)
            if owner == plugin.BASE:
                codes = plugin.quantise(weight, scale).to(torch.int16)
                stored[key] = plugin.Stored((plugin.Term(codes, scale, plugin.FULL_MAGNITUDE),))
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
            stored[key] = plugin.Stored((nothing, *terms), on_base=True)
        return stored
