"""Stored pieces as arrays hold them, for scores with simulated conversions."""

from dataclasses import replace

import numpy as np

from dse.errors import SpaceError
from dse.records.arrays import Tensor
from dse.records.effective import BitSlice, Converter, OnArrays
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.stored import Key, Matrices, Stored, Term
from dse.score.cells import Array, Cells, on_arrays


def converter(nonideality: Nonideality, geometry: Geometry) -> Converter | None:
    """Return the ADC of a design (P = 1), or None if every conversion is exact and nothing needs simulation.

    The ADC's steps are never finer than one unit, because sums of undisturbed cells are whole. Flip encoding halves the
    largest sum of a column, but not the sum of the extra column, whose cells hold 1: the range covers the larger one.
    """
    if nonideality.adc == "ideal":
        return None
    rows, cell_bits, dac_bits = (int(getattr(geometry, name)[0]) for name in ("rows", "cell_bits", "dac_bits"))
    top, most = 2**cell_bits - 1, 2 ** int(geometry.adc_bits[0]) - 1
    inputs = rows * (2**dac_bits - 1)
    largest = inputs * top / (2 if geometry.flip[0] else 1)
    step = 1.0
    if nonideality.adc_range is not None:
        step = max(1.0, nonideality.adc_range * max(largest, inputs) / most)
    if step == 1.0 and most >= largest and not nonideality.cells_differ:
        return None
    return Converter(rows, int(geometry.usable_columns[0]), top, dac_bits, int(geometry.input_bits[0]), step, most)


class OnConverters:
    """The pieces of stored matrices that ADCs convert, and the terms left for the digital unit.

    Args:
        cells: cells of one draw.
        converter: ADC of the arrays.
        who: name of the compressor, for messages.
    """

    def __init__(self, cells: Cells, converter: Converter, who: str) -> None:
        self._cells, self._converter, self._who = cells, converter, who

    def arrays(
        self, stored: Stored, owner: str, key: Key, weights: Matrices, shape: tuple[int, int]
    ) -> tuple[OnArrays, ...]:
        """Return the pieces of a matrix that are on arrays.

        Args:
            stored: the matrix's terms from a compressor.
            owner: content digest of the owner.
            key: layer and matrix.
            weights: matrices that know which outputs and inputs of the whole matrix are left.
            shape: (outputs, inputs) of the whole matrix.

        Raises:
            SpaceError: partial sums are scaled, blocks are rewritten, or one factor of a product is digital.
        """
        if stored.scaling is not None or stored.image is not None:
            raise self._refusal("the base's partial sums are scaled or its blocks rewritten")
        for term in stored.terms:
            if term.fed_by is not None and term.digital != stored.terms[term.fed_by].digital:
                raise self._refusal("one factor of a product is digital and the other is not")
        outputs, inputs = weights.outputs.get(key), weights.inputs.get(key)
        fed = {term.fed_by: index for index, term in enumerate(stored.terms) if term.fed_by is not None}
        pieces = []
        for index, term in enumerate(stored.terms):
            if not on_arrays(term) or term.fed_by is not None:
                continue
            columns = outputs if index not in fed else None
            size = shape if index not in fed else (len(term.codes), shape[1])
            piece = self._piece(term, (owner, *key, index), columns, inputs, size)
            if index in fed:
                second = stored.terms[fed[index]]
                if not on_arrays(second):
                    continue  # the product is zero
                after = self._piece(second, (owner, *key, fed[index]), outputs, None, (shape[0], len(term.codes)))
                piece = replace(piece, then=after)
            pieces.append(piece)
        return tuple(pieces)

    def rest(self, stored: Stored) -> Stored:
        """Return the matrix with its digital terms only; an empty term stands in the place of each other one."""
        terms = tuple(term if term.digital else replace(term, codes=term.codes.new_zeros(0)) for term in stored.terms)
        return replace(stored, terms=terms)

    def _piece(
        self,
        term: Term,
        place: tuple[object, ...],
        outputs: Tensor | None,
        inputs: Tensor | None,
        shape: tuple[int, int],
    ) -> OnArrays:
        return OnArrays(
            slices=tuple(
                BitSlice(
                    plane.factor,
                    self._tensor(plane.levels + plane.deviation),
                    None if plane.flipped is None else self._tensor(plane.flipped),
                    None if plane.unit is None else self._tensor(plane.unit[:: self._converter.columns]),
                )
                for plane in self._cells.planes(term, place)
            ),
            scale=term.scale,
            bias=self._cells.bias(term),
            offset=term.offset,
            outputs=within(term.columns, outputs),
            inputs=within(term.rows, inputs),
            shape=shape,
            converter=self._converter,
        )

    def _tensor(self, values: Array) -> Tensor:
        """Pack cells: whole levels in a byte, others in half precision, whose 11 bits suffice for a deviating level."""
        import torch

        if values.dtype != np.bool_:
            values = values.astype(np.float16 if self._cells.nonideality.cells_differ else np.uint8)
        return torch.from_numpy(np.ascontiguousarray(values))

    def _refusal(self, why: str) -> SpaceError:
        return SpaceError(
            f"real ADCs are not simulated where {why}",
            where=f"compressor {self._who!r}",
            expected="pieces whose sums are converted first and added up afterwards",
            fix='set adc = "ideal" in the options of the hardware, or leave the compressor out',
        )


def within(some: Tensor | None, remaining: Tensor | None) -> Tensor | None:
    """Return the indices of some of the remaining outputs (or inputs) in the whole matrix; None for all."""
    if remaining is None:
        return some
    return remaining if some is None else remaining[some]
