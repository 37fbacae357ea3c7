"""A geometry: arrays, cells, converters and encoding, which hardware fixes before any weight is placed."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from dse.records.arrays import Bools, Ints

Encoding: TypeAlias = Literal["separate", "offset", "offset-flip"]
ENCODINGS: tuple[Encoding, ...] = ("separate", "offset", "offset-flip")
Packing: TypeAlias = Literal["none", "same-input"]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Arrays, cells, converters and encoding, which hardware fixes before any weight is placed, each ``(P,)``.

    Attributes:
        rows: number of wordlines of an array.
        columns: number of bitlines of an array.
        cell_bits: bits that a cell holds.
        adc_bits: resolution of the ADC, bits.
        dac_bits: bits of an input that are applied in one cycle.
        input_bits: bits of an activation.
        encoding: index into `ENCODINGS`: separate positive and negative arrays, or one array with an offset (with or
            without flipping columns, which saves one ADC bit).
        packing: whether columns of matrices that share an input vector, owner and layer share arrays.
    """

    rows: Ints
    columns: Ints
    cell_bits: Ints
    adc_bits: Ints
    dac_bits: Ints
    input_bits: Ints
    encoding: Ints
    packing: Packing = "same-input"

    @property
    def usable_columns(self) -> Ints:
        """Number of bitlines of an array that weights may take, (P,): every count, place and draw reads it here."""
        return self.columns

    @property
    def separate(self) -> Bools:
        """Whether positive and negative parts have arrays of their own, (P,)."""
        return np.asarray(self.encoding == ENCODINGS.index("separate"))

    @property
    def flip(self) -> Bools:
        """Whether columns are flip-encoded, with one extra column per array, (P,)."""
        return np.asarray(self.encoding == ENCODINGS.index("offset-flip"))
