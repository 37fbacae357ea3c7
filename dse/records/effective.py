"""Effective weights: what a task computes with, rebuilt from stored terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from dse.records.exits import ExitHead
from dse.records.stored import Key

Product: TypeAlias = "tuple[Tensor, Tensor]"
"""Two matrices that run one after the other: float32 (rank, inputs), then (outputs, rank)."""


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
