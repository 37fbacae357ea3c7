"""Stored terms: the integers that are charged area and energy and that compute the accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from dse.records.demand import Demand

Key: TypeAlias = "tuple[int, int]"
"""A matrix: its layer, and its index in the layer."""
SCALE_BITS = 32
"""Bits of one stored scale."""


@dataclass(frozen=True, slots=True)
class Term:
    """One stored piece of a matrix: integer codes times a scale.

    Attributes:
        codes: (kept columns, kept rows) integer tensor, outputs first as in a linear layer.
        scale: scalar, (kept columns,) or (kept columns, 1) float32 tensor: one scale a matrix or an output.
        magnitude: bound on ``abs(codes)``; the core refuses codes beyond it.
        columns: indices of the outputs kept, or None for all.
        rows: indices of the inputs kept, or None for all.
        shared_scale: the scale is the base's, stored once with the base and not charged again.
        unsigned: no code is negative, so that one array a slice holds them, whatever the encoding of signed codes.
        offset: (kept columns,) or (kept columns, 1) float32 added to every kept weight of an output; in hardware, the
            offset times the sum of the inputs, which an extra column of each array reads. Unsigned terms only.
        fed_by: index, among the matrix's terms, of the one whose outputs are this one's inputs, one product after the
            other: the outputs of that one are quantised like any input. None: the matrix's own inputs.
        digital: held in SRAM, a sign and the bits of its magnitude a code, and multiplied in the digital unit.
    """

    codes: Tensor
    scale: Tensor
    magnitude: int
    columns: Tensor | None = None
    rows: Tensor | None = None
    shared_scale: bool = False
    unsigned: bool = False
    offset: Tensor | None = None
    fed_by: int | None = None
    digital: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """What is written over blocks of the base's matrix while an owner's users are served; see `dse.Reprogrammed`.

    Attributes:
        codes: (outputs, inputs) integer tensor on the base's own grid, in the place of the matrix kept; used in the blocks.
        scale: of that grid, scalar or one an output.
        blocks: (column blocks, row blocks) bool tensor of the whole matrix.
    """

    codes: Tensor
    scale: Tensor
    blocks: Tensor


@dataclass(frozen=True, slots=True)
class Scaling:
    """Factors of the base's partial sums, one for each output and block of rows: its own array's column.

    Attributes:
        factors: (row blocks, outputs) float32, of the whole matrix's rows and the outputs kept.
        rows: inputs of a block.
        live: (row blocks, outputs) bool: where there is a factor; elsewhere it is 1.
        bits: of one factor.
        shifts: factors are few, and made by shifting and adding.
    """

    factors: Tensor
    rows: int
    live: Tensor
    bits: int
    shifts: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """All terms of one matrix of one owner.

    Attributes:
        terms: their sum is the matrix, or the delta; one that feeds another is a factor of the other's product instead.
        on_base: the base's effective matrix is added.
        bias: (outputs,) float32 added to the bias its user has anyway, or None; digital, so it takes no array. Moves the
            mean of what was left out of the terms to where it costs nothing.
        image: what is written over blocks of the base's matrix, or None.
        scaling: factors of the base's partial sums, or None.
    """

    terms: tuple[Term, ...]
    on_base: bool = False
    bias: Tensor | None = None
    image: Image | None = None
    scaling: Scaling | None = None


class Matrices(dict["Key", "Tensor"]):
    """Float32 matrices (outputs, inputs) by (layer, matrix), cut to what a plan keeps of them.

    Args:
        matrices: as cut.
        outputs: indices (kept,) in the whole matrix of the outputs kept, by matrix; absent where all are.
        inputs: likewise of the inputs.
        whole: the matrices before they were cut; None where nothing was.
        demand: what the footprint was asked for this point (P = 1); None: separate models, as the context gives them.
    """

    def __init__(
        self,
        matrices: Mapping[Key, Tensor],
        outputs: Mapping[Key, Tensor] | None = None,
        inputs: Mapping[Key, Tensor] | None = None,
        whole: Mapping[Key, Tensor] | None = None,
        demand: Demand | None = None,
    ) -> None:
        super().__init__(matrices)
        self.outputs = dict(outputs or {})
        self.inputs = dict(inputs or {})
        self._whole = whole
        self.demand = demand

    @property
    def whole(self) -> Mapping[Key, Tensor]:
        """The matrices before they were cut."""
        return self if self._whole is None else self._whole

    @property
    def measured(self) -> bool:
        """Whether what `prepare` measured on the context's weights holds for these."""
        return self.demand is None or self.demand.measured

    def block_of(self, key: Key, size: int, *, inputs: bool) -> Tensor:
        """Block of ``size`` in the whole matrix that each output, or input, that is left belongs to."""
        import torch

        kept = (self.inputs if inputs else self.outputs).get(key)
        return (torch.arange(self[key].shape[1 if inputs else 0]) if kept is None else kept) // size

    def of_outputs(self, key: Key, values: Tensor) -> Tensor:
        """Cut what belongs to a whole matrix's outputs (outputs, ...) as the matrix is cut."""
        return values[self.outputs[key]] if key in self.outputs else values
