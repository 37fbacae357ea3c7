"""Placement: the part of a matrix that each physical array holds, for as many arrays as are counted, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, product
from typing import NamedTuple

import numpy as np

from dse.cost.counts import input_groups, slices
from dse.records.footprint import Footprint, Piece
from dse.records.geometry import Geometry
from dse.records.workload import Encoder


class Segment(NamedTuple):
    """The part of a stored piece that lies in one array; matrices that share an input may share an array.

    Attributes:
        array: number of the array, from 0.
        owner: index of the piece's owner.
        layer: layer of the encoder.
        matrix: index of the matrix in the layer.
        piece: index of the piece among the matrix's pieces, and so among its terms.
        sign: sign of the codes, ``positive`` or ``negative``, or ``both``.
        slice: index of the codes' bit slice, from the least significant bits on.
        row_block: index of the block of the piece's rows.
        column_block: index of the block of the columns that are packed together.
        first_row: first row, counted among the rows that the piece keeps; this row lies on the array's first wordline.
        rows: number of rows.
        first_column: first column, counted among the columns that the piece keeps.
        columns: number of columns.
        bitline: bitline of the array that the first column lies on.
    """

    array: int
    owner: int
    layer: int
    matrix: int
    piece: int
    sign: str
    slice: int
    row_block: int
    column_block: int
    first_row: int
    rows: int
    first_column: int
    columns: int
    bitline: int


class _Live(NamedTuple):
    """Size of one piece of a matrix, and the number of its bit slices."""

    matrix: int
    rows: int
    columns: int
    depth: int


def place_pieces(encoder: Encoder, footprint: Footprint, geometry: Geometry) -> Iterator[Segment]:
    """Place the pieces of one design (P = 1) as `dse.cost.counts.count` counts them."""
    numbers = count()
    owners, layers = footprint.digital_bits.shape[1:3]
    for owner, layer, (index, piece) in product(range(owners), range(layers), enumerate(footprint.pieces)):
        if piece.digital:
            continue
        separate = bool(geometry.separate[0]) and not piece.unsigned
        signs = ("positive", "negative") if separate else ("both",)
        for group, sign in product(_groups(encoder, piece, geometry, owner, layer), signs):
            for parts in _arrays(group, geometry):
                array = next(numbers)
                for matrix, *place in parts:
                    yield Segment(array, owner, layer, matrix, index, sign, *place)


def _groups(encoder: Encoder, piece: Piece, geometry: Geometry, owner: int, layer: int) -> Iterator[list[_Live]]:
    """Yield the matrices that are packed together: those driven by one input, if their live rows agree."""
    plain = np.array([piece.unsigned or bool(geometry.separate[0])])
    packed = input_groups(encoder, geometry) if piece.fed_by is None else [[at] for at in range(len(encoder.matrices))]
    for group in packed:
        live = []
        for at in group:
            rows, columns, top = (int(v[0, owner, layer, at]) for v in (piece.rows, piece.columns, piece.magnitude))
            if rows and columns and top:
                depth = int(slices(np.array([float(top)]), geometry.cell_bits, plain)[0])
                live.append(_Live(at, rows, columns, depth))
        if len({item.rows for item in live}) > 1:
            yield from ([item] for item in live)
        elif live:
            yield live


def _arrays(
    group: Sequence[_Live], geometry: Geometry
) -> Iterator[list[tuple[int, int, int, int, int, int, int, int, int]]]:
    """Yield a list per array of one sign. It has a tuple per segment: its fields from ``matrix`` on, without piece and sign."""
    height, width = int(geometry.rows[0]), int(geometry.usable_columns[0])
    deepest = sorted(group, key=lambda item: -item.depth)
    for plane in range(deepest[0].depth):
        blocks = _blocks([item for item in deepest if item.depth > plane], width)
        for (column_block, parts), (row_block, row) in product(
            enumerate(blocks), enumerate(range(0, group[0].rows, height))
        ):
            rows = min(height, group[0].rows - row)
            yield [
                (matrix, plane, row_block, column_block, row, rows, column, columns, bitline)
                for matrix, column, columns, bitline in parts
            ]


def _blocks(side_by_side: Sequence[_Live], width: int) -> list[list[tuple[int, int, int, int]]]:
    """Cut columns that lie side by side into blocks: matrix, first column, columns and bitline of each part."""
    blocks: list[list[tuple[int, int, int, int]]] = []
    bitline = width
    for item in side_by_side:
        column = 0
        while column < item.columns:
            if bitline == width:
                blocks.append([])
                bitline = 0
            columns = min(item.columns - column, width - bitline)
            blocks[-1].append((item.matrix, column, columns, bitline))
            column, bitline = column + columns, bitline + columns
    return blocks
