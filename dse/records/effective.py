"""Effective weights: those that a task computes with, rebuilt from stored terms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from dse.records.arrays import Tensor
from dse.records.exits import ExitHead
from dse.records.stored import Key

Product: TypeAlias = tuple[Tensor, Tensor]
"""Two matrices that run one after the other: float32 (rank, inputs), then (outputs, rank)."""


@dataclass(frozen=True, slots=True)
class Converter:
    """Conversion of the sums of an array's columns to numbers.

    Attributes:
        rows: number of wordlines of an array.
        columns: number of bitlines of an array.
        top: level of a cell at the largest conductance.
        dac_bits: bits of an input applied in one cycle.
        input_bits: bits of an input.
        step: step of the ADC, in units of a sum.
        most: number of steps at which the ADC saturates.
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
        factor: value of a unit of the slice's sums, its sign included.
        levels: (outputs, inputs) levels that cells read as.
        flipped: (row blocks, outputs) bool: columns that hold the complement of their levels; None without flip encoding.
        unit: (column blocks, inputs) levels that the extra column of each array reads as; its cells hold 1. None without an
            extra column.
    """

    factor: float
    levels: Tensor
    flipped: Tensor | None = None
    unit: Tensor | None = None


@dataclass(frozen=True, slots=True)
class OnArrays:
    """One stored piece as its arrays hold it, where conversions are simulated.

    Attributes:
        slices: bit slices of both signs.
        scale: scale of the codes, scalar or (outputs, 1) float32.
        bias: number that arrays add to every code; the sum of the inputs times this number is subtracted again.
        offset: (outputs, 1) float32 offset that the extra column multiplies, or None.
        outputs: indices of its outputs in the whole matrix, or None for all.
        inputs: indices of its inputs in the whole matrix, or None for all.
        shape: shape of the whole matrix, (outputs, inputs).
        converter: converter of its arrays.
        then: second factor of a product, which runs on this piece's outputs, or None.
    """

    slices: tuple[BitSlice, ...]
    scale: Tensor
    bias: int
    offset: Tensor | None
    outputs: Tensor | None
    inputs: Tensor | None
    shape: tuple[int, int]
    converter: Converter
    then: "OnArrays | None" = None

    def parts(self) -> Iterator[tuple[object, Tensor]]:
        """Yield every tensor, with everything else that its product depends on."""
        common = (self.bias, self.shape, self.converter)
        for part in self.slices:
            yield (common, part.factor), part.levels
            yield from (("beside", value) for value in (part.flipped, part.unit) if value is not None)
        some = (self.scale, self.offset, self.outputs, self.inputs)
        yield from ((index, value) for index, value in enumerate(some) if value is not None)
        if self.then is not None:
            yield from self.then.parts()


@dataclass(frozen=True, slots=True)
class Effective:
    """Weights that a task computes with, rebuilt from its stored terms, by (layer, matrix).

    Attributes:
        weights: float32 (outputs, inputs) matrices.
        biases: float32 (outputs,) vectors, added to the task's own biases.
        products: pairs of matrices whose product is added to the matrix's outputs; the vector between the two matrices is
            quantised like any input.
        vectors: biases and norms by layer, by name in it, instead of the base's or the task's own.
        head: pooler and classifier by name in the model, instead of the task's own.
        exits: heads of early exits by the layer after which inputs may leave.
        arrays: pieces whose sums are converted one array at a time and added to the matrix's outputs.
        read_variance: (outputs, inputs) variance of one read of each weight; empty if reads are exact.
        read_seed: seed of the noise of reads.
        kept: (outputs,) and (inputs,) float32 masks of these pieces, 0 where a task removes an output or an input.
    """

    weights: dict[Key, Tensor] = field(default_factory=dict)
    biases: dict[Key, Tensor] = field(default_factory=dict)
    products: dict[Key, tuple[Product, ...]] = field(default_factory=dict)
    vectors: dict[int, Mapping[str, Tensor]] = field(default_factory=dict)
    head: dict[str, Tensor] = field(default_factory=dict)
    exits: dict[int, ExitHead] = field(default_factory=dict)
    arrays: dict[Key, tuple[OnArrays, ...]] = field(default_factory=dict)
    read_variance: dict[Key, Tensor] = field(default_factory=dict)
    read_seed: int = 0
    kept: dict[Key, tuple[Tensor, Tensor]] = field(default_factory=dict)
