"""What compressors of differences share: the base whole in 8 bits, and the same stored parts for each task's matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import dse

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
Key = tuple[int, int]


class Sizes(NamedTuple):
    """What there is to store.

    Attributes:
        rows: (P, T, L, M) inputs kept of each task's matrices.
        columns: (P, T, L, M) outputs kept.
        encoder: shapes of the whole matrices.
        demand: of the core.
    """

    rows: Array
    columns: Array
    encoder: dse.Encoder
    demand: dse.Demand


class Part(NamedTuple):
    """One piece of every difference, each (P, T, L, M) or what broadcasts to it.

    Attributes:
        rows: live wordlines.
        columns: live bitlines.
        magnitude: bound of the codes; 0 where nothing is stored.
        bits: of scales, offsets and indices.
        unsigned: whether codes have no sign.
        fed_by: index of the part that feeds it.
    """

    rows: Array
    columns: Array
    magnitude: Array
    bits: Array
    unsigned: bool = False
    fed_by: int | None = None


class Difference(NamedTuple):
    """One matrix's difference from the base's effective matrix, and what it is known by.

    Attributes:
        values: float32 (outputs, inputs).
        codes: int16 (outputs, inputs), the difference on the base's 8-bit grid.
        scale: step of that grid.
        key: layer and matrix.
        task: index.
        weights: matrices it is one of, which know what outputs and inputs are left.
    """

    values: Tensor
    codes: Tensor
    scale: Tensor
    key: Key
    task: int
    weights: dse.Matrices


class DeltaCompressor(ABC):
    """Stores the base once in full, and the same parts for each task's matrix."""

    geometry_fields: tuple[str, ...] = ()

    def __init__(self, options: dse.Options) -> None:
        del options
        self._scales: dict[Key, Tensor] = {}

    @abstractmethod
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Declare what a search may choose."""

    @abstractmethod
    def parts(self, sizes: Sizes, params: dse.Params) -> tuple[Part, ...]:
        """Say what each task's matrices take."""

    @abstractmethod
    def terms(self, difference: Difference, params: dse.Params) -> tuple[dse.Term, ...]:
        """Store one difference for one point (P = 1): a term for each part, ``fed_by`` counted as parts are."""

    def prepare(self, context: dse.Context) -> None:
        """Find the base's grids."""
        self._scales = {key: dse.best_scale(weight) for key, weight in context.base_weights().items()}

    def footprint(
        self, workload: dse.Workload, demand: dse.Demand, geometry: dse.Geometry, params: dse.Params
    ) -> dse.Footprint:
        """Take the base in full 8 bits, and the parts of each task's matrix."""
        del geometry
        if demand.groups:
            raise dse.PluginContractError(
                "this compressor takes differences of tasks only", expected="no groups", found=demand.groups
            )
        own = slice(demand.task_owner(0), None)
        shape = (*demand.used.shape, demand.rows.shape[-1])
        rows, columns = (np.broadcast_to(kept, shape) for kept in (demand.rows, demand.columns))
        base = np.zeros(shape)
        base[:, dse.BASE] = demand.used[:, dse.BASE, :, None]
        used = np.broadcast_to(demand.used[:, own, :, None], (*demand.used[:, own].shape, shape[-1]))

        def placed(values: Array) -> Array:
            whole = np.zeros(shape)
            whole[:, own] = used * values
            return whole

        pieces = [dse.Piece(base * rows, base * columns, base * float(dse.FULL_MAGNITUDE))]
        bits = dse.SCALE_BITS * base
        for part in self.parts(Sizes(rows[:, own], columns[:, own], workload.encoder, demand), params):
            live = part.magnitude > 0
            live_rows, live_columns, magnitude = (placed(values * live) for values in part[:3])
            fed_by = None if part.fed_by is None else part.fed_by + 1
            pieces.append(dse.Piece(live_rows, live_columns, magnitude, part.unsigned, fed_by))
            bits = bits + placed(part.bits * live)
        on_base = demand.used.copy()
        on_base[:, dse.BASE] = False
        return dse.Footprint(tuple(pieces), bits, on_base)

    def store(
        self, weights: dse.Matrices, base: dse.Matrices, geometry: dse.Geometry, params: dse.Params, owner: int
    ) -> dict[Key, dse.Stored]:
        """Store the base's codes, or the terms of a task's matrices."""
        import torch

        del geometry
        stored = {}
        for key, weight in weights.items():
            scale = self._scales[key]
            if owner == dse.BASE:
                codes = dse.quantise(weight, scale).to(torch.int16)
                stored[key] = dse.Stored((dse.Term(codes, scale, dse.FULL_MAGNITUDE),))
                continue
            parts = dse.decompose(base[key], weight, scale=scale)
            difference = Difference(weight - parts.base * scale, parts.delta, scale, key, owner - 1, weights)
            nothing = dse.Term(parts.delta[:0], scale, 0, shared_scale=True)  # stands for the base's piece
            terms = (
                term if term.fed_by is None else replace(term, fed_by=term.fed_by + 1)
                for term in self.terms(difference, params)
            )
            stored[key] = dse.Stored((nothing, *terms), on_base=True)
        return stored
