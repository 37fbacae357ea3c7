"""What compressors of differences share: the base whole in 8 bits, and one stored difference for each task's matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import dse

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
Key = tuple[int, int]


class Form(NamedTuple):
    """What the differences of all tasks take, each (P, T, L, M) or less where it broadcasts.

    Attributes:
        magnitude: bound of the codes; 0 where nothing is stored.
        scales: scales and offsets held for each matrix.
        unsigned: whether codes have no sign.
    """

    magnitude: Array
    scales: Array
    unsigned: bool = False


class Difference(NamedTuple):
    """One matrix's difference from the base's effective matrix, and what it is known by.

    Attributes:
        values: float32 (outputs, inputs).
        codes: int16 (outputs, inputs), the difference on the base's 8-bit grid.
        scale: step of that grid.
        key: layer and matrix.
        task: index.
    """

    values: Tensor
    codes: Tensor
    scale: Tensor
    key: Key
    task: int


class DeltaCompressor(ABC):
    """Stores the base once in full, and one term for each task's matrix, dense: what is zero takes its cells all the same."""

    geometry_fields: tuple[str, ...] = ()

    def __init__(self, options: dse.Options) -> None:
        del options
        self._scales: dict[Key, Tensor] = {}

    @abstractmethod
    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Declare what a search may choose."""

    @abstractmethod
    def form(self, params: dse.Params, columns: Array) -> Form:
        """Say what differences with so many outputs (P, T, L, M) take."""

    @abstractmethod
    def term(self, difference: Difference, params: dse.Params) -> dse.Term | None:
        """Store one difference for one point (P = 1); None where nothing is stored."""

    def prepare(self, context: dse.Context) -> None:
        """Find the base's grids."""
        self._scales = {key: dse.best_scale(weight) for key, weight in context.base_weights().items()}

    def footprint(
        self, workload: dse.Workload, demand: dse.Demand, geometry: dse.Geometry, params: dse.Params
    ) -> dse.Footprint:
        """Take the base in full 8 bits, and a dense term for each task's matrix."""
        del workload, geometry
        if demand.groups:
            raise dse.PluginContractError(
                "this compressor takes differences of tasks only", expected="no groups", found=demand.groups
            )
        own = slice(demand.task_owner(0), None)
        shape = (*demand.used.shape, demand.rows.shape[-1])
        rows, columns = (np.broadcast_to(kept, shape) for kept in (demand.rows, demand.columns))
        form = self.form(params, columns[:, own])
        base, tasks = np.zeros(shape), np.zeros(shape)
        base[:, dse.BASE] = demand.used[:, dse.BASE, :, None]
        tasks[:, own] = demand.used[:, own, :, None] & (np.broadcast_to(form.magnitude, tasks[:, own].shape) > 0)
        magnitude, scales = np.zeros(shape), np.zeros(shape)
        magnitude[:, own] = form.magnitude
        scales[:, own] = form.scales
        whole = dse.Piece(base * rows, base * columns, base * float(dse.FULL_MAGNITUDE))
        pieces: tuple[dse.Piece, ...]
        if form.unsigned:
            pieces = (whole, dse.Piece(tasks * rows, tasks * columns, tasks * magnitude, unsigned=True))
        else:
            held = base + tasks
            mixed = base * float(dse.FULL_MAGNITUDE) + tasks * magnitude
            pieces = (dse.Piece(held * rows, held * columns, mixed),)
        on_base = demand.used.copy()
        on_base[:, dse.BASE] = False
        return dse.Footprint(pieces, dse.SCALE_BITS * (base + tasks * scales), on_base)

    def store(
        self, weights: dse.Matrices, base: dse.Matrices, geometry: dse.Geometry, params: dse.Params, owner: int
    ) -> dict[Key, dse.Stored]:
        """Store the base's codes, or one term for each of a task's matrices."""
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
            difference = Difference(weight - parts.base * scale, parts.delta, scale, key, owner - 1)
            term = self.term(difference, params)
            nothing = dse.Term(parts.delta[:0], scale, 0, shared_scale=True)
            terms = () if term is None else (nothing, term) if term.unsigned else (term,)
            stored[key] = dse.Stored(terms, on_base=True)
        return stored
