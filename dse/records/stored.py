"""Stored terms: the integers that are charged area and energy and that compute the accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from dse.records.arrays import Tensor
from dse.records.demand import Demand

Key: TypeAlias = tuple[int, int]
"""Key of a matrix: its layer, and its index in the layer."""
SCALE_BITS = 32
"""Bits of one stored scale."""
VECTOR_BITS = 16
"""Bits of a bias, a norm or a parameter of a head, in on-chip SRAM."""


@dataclass(frozen=True, slots=True)
class Term:
    """One stored piece of a matrix: integer codes times a scale.

    Attributes:
        codes: (kept columns, kept rows) integer tensor, outputs first as in a linear layer.
        scale: scalar, (kept columns,) or (kept columns, 1) float32 tensor: one scale per matrix or per output.
        magnitude: bound on ``abs(codes)``; the core refuses codes beyond it.
        columns: indices of the outputs kept, or None for all.
        rows: indices of the inputs kept, or None for all.
        shared_scale: whether the scale is the base's, stored once with the base and not charged again.
        unsigned: whether no code is negative, so that one array per slice holds them, with any encoding of signed codes.
        offset: (kept columns,) or (kept columns, 1) float32 offset of every kept weight of an output; in hardware, the
            offset times the sum of the inputs, which an extra column of each array reads. Unsigned terms only.
        fed_by: index, among the matrix's terms, of the term whose outputs are this term's inputs: one product follows the
            other, and the outputs between them are quantised like any input. None: the matrix's own inputs.
        digital: whether SRAM holds the codes, each a sign and the bits of its magnitude, and the digital unit multiplies.
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
    """Codes written over blocks of the base's matrix while an owner's users are served; see `dse.Reprogrammed`.

    Attributes:
        codes: (outputs, inputs) integer tensor on the base's own grid, as the matrix is cut; only the blocks are used.
        scale: scale of that grid, scalar or one per output.
        blocks: (column blocks, row blocks) bool tensor over the whole matrix, True where the image is written.
    """

    codes: Tensor
    scale: Tensor
    blocks: Tensor


@dataclass(frozen=True, slots=True)
class Scaling:
    """Factors of the base's partial sums, one for each output and block of rows: one for each column of an array.

    Attributes:
        factors: (row blocks, outputs) float32 factors, for the whole matrix's rows and the outputs kept.
        rows: number of inputs of a block.
        live: (row blocks, outputs) bool: whether there is a factor; elsewhere the factor is 1.
        bits: bits of one factor.
        shifts: whether factors take few values, and are made by shifting and adding.
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
        terms: terms whose sum is the matrix, or the delta; a term that feeds another one is a factor of its product instead.
        on_base: whether the base's effective matrix is added.
        bias: (outputs,) float32 vector added to the bias that its user already has, or None; digital, so it takes no array.
            It moves the mean of the weights that the terms leave out to where it costs nothing.
        image: codes written over blocks of the base's matrix, or None.
        scaling: factors of the base's partial sums, or None.
    """

    terms: tuple[Term, ...]
    on_base: bool = False
    bias: Tensor | None = None
    image: Image | None = None
    scaling: Scaling | None = None


class Matrices(dict["Key", "Tensor"]):
    """Float32 matrices (outputs, inputs) by (layer, matrix), cut to the outputs and inputs that a plan keeps.

    Args:
        matrices: matrices that are already cut.
        outputs: (kept,) indices, in the whole matrix, of the outputs kept, by matrix; absent where all are kept.
        inputs: (kept,) indices, in the whole matrix, of the inputs kept, by matrix; absent where all are kept.
        whole: matrices before they were cut; None where nothing was cut.
        demand: demand that the footprint of this design answers (P = 1); None: separate models, as the context gives them.
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
        """Whether measurements of `prepare` on the context's weights hold for these matrices."""
        return self.demand is None or self.demand.measured

    def block_of(self, key: Key, size: int, *, inputs: bool) -> Tensor:
        """Return the index of the block, ``size`` long in the whole matrix, of each output (or input) that is left."""
        import torch

        indices = (self.inputs if inputs else self.outputs).get(key)
        return (torch.arange(self[key].shape[1 if inputs else 0]) if indices is None else indices) // size

    def of_outputs(self, key: Key, values: Tensor) -> Tensor:
        """Cut values of a whole matrix's outputs, (outputs, ...), as the matrix is cut."""
        return values[self.outputs[key]] if key in self.outputs else values
