"""Stored terms: the integers that are charged area and energy and that compute the accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from dse.records.batch import Demand
    from dse.records.exits import ExitHead

Key: TypeAlias = "tuple[int, int]"
"""A matrix: its layer, and its index in the layer."""

Product: TypeAlias = "tuple[Tensor, Tensor]"
"""Two matrices that run one after the other: float32 (rank, inputs), then (outputs, rank)."""

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


@dataclass(frozen=True, slots=True)
class Converter:
    """How sums of an array's columns become numbers.

    Attributes:
        rows: wordlines of an array.
        columns: bitlines of an array.
        top: level of a cell at the largest conductance.
        dac_bits: bits of an input applied in one cycle.
        input_bits: of an input.
        step: of the ADC, in units of a sum.
        most: steps at which it saturates.
    """

    rows: int
    columns: int
    top: int
    dac_bits: int
    input_bits: int
    step: float
    most: int


@dataclass(frozen=True, slots=True)
class BitSlice:
    """One bit slice of one sign of a stored piece.

    Attributes:
        factor: what a unit of its sums is worth, its sign included.
        levels: (outputs, inputs) what cells read as.
        flipped: (row blocks, outputs) bool: columns that hold the complement of their levels; None without flip encoding.
        unit: (column blocks, inputs) what the extra column of each array reads as, whose cells hold 1; None without one.
    """

    factor: float
    levels: Tensor
    flipped: Tensor | None = None
    unit: Tensor | None = None


@dataclass(frozen=True, slots=True)
class OnArrays:
    """One stored piece as its arrays hold it, where conversions are simulated.

    Attributes:
        slices: of both signs.
        scale: scalar or (outputs, 1) float32.
        bias: held in every cell's weight beyond its code, and taken off by the sum of the inputs.
        offset: (outputs, 1) float32 that the extra column multiplies, or None.
        outputs: indices of its outputs in the whole matrix, or None for all.
        inputs: likewise of its inputs.
        shape: (outputs, inputs) of the whole matrix.
        converter: of its arrays.
        then: the second factor of a product, which runs on this one's outputs, or None.
    """

    slices: tuple[BitSlice, ...]
    scale: Tensor
    bias: int
    offset: Tensor | None
    outputs: Tensor | None
    inputs: Tensor | None
    shape: tuple[int, int]
    converter: Converter
    then: OnArrays | None = None

    def parts(self) -> Iterator[tuple[object, Tensor]]:
        """Every tensor, with all else that its product depends on."""
        what = (self.bias, self.shape, self.converter)
        for part in self.slices:
            yield (what, part.factor), part.levels
            yield from (("beside", value) for value in (part.flipped, part.unit) if value is not None)
        some = (self.scale, self.offset, self.outputs, self.inputs)
        yield from ((index, value) for index, value in enumerate(some) if value is not None)
        if self.then is not None:
            yield from self.then.parts()


@dataclass(frozen=True, slots=True)
class Effective:
    """What a task's stored terms come to, by (layer, matrix).

    Attributes:
        weights: float32 (outputs, inputs).
        biases: float32 (outputs,) added to the task's own.
        products: added to the matrix's outputs; what runs between the two is quantised like any input.
        vectors: biases and norms by layer, by name in it, instead of the base's or the task's own.
        head: pooler and classifier by name in the model, instead of the task's own.
        exits: heads by the layer after which inputs may leave.
        arrays: pieces whose sums are converted one array at a time and added to the matrix's outputs.
        kept: (outputs,) and (inputs,) float32, 0 where a task removes what such pieces hold.
    """

    weights: dict[Key, Tensor] = field(default_factory=dict)
    biases: dict[Key, Tensor] = field(default_factory=dict)
    products: dict[Key, tuple[Product, ...]] = field(default_factory=dict)
    vectors: dict[int, Mapping[str, Tensor]] = field(default_factory=dict)
    head: dict[str, Tensor] = field(default_factory=dict)
    exits: dict[int, ExitHead] = field(default_factory=dict)
    arrays: dict[Key, tuple[OnArrays, ...]] = field(default_factory=dict)
    kept: dict[Key, tuple[Tensor, Tensor]] = field(default_factory=dict)


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
