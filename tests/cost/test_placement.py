"""The place of every array: as many as are counted, every cell of every slice in exactly one, none overfull."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.placement import Segment, place_pieces
from tests.support.workloads import bert_base, geometry, workload

LOAD = workload(2)
WANTED = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")


def drawn(seed: int) -> tuple[dse.Footprint, dse.Geometry]:
    """Two pieces and a product's second factor, with rows and columns dropped at random, on small arrays."""
    rng = np.random.default_rng(seed)
    shape = (*WANTED.used.shape, 6)
    pieces = tuple(
        dse.Piece(
            rng.choice([0.0, 5, 32], size=shape, p=[0.2, 0.2, 0.6]),
            rng.choice([0.0, 7, 32], size=shape),
            rng.choice([0.0, 1, 3, 128], size=shape),
            unsigned=bool(rng.integers(2)),
            fed_by=fed_by,
            digital=fed_by is None and not rng.integers(4),
        )
        for fed_by in (None, None, 0)
    )
    sizes = {
        "rows": int(rng.choice([8, 20])),
        "columns": int(rng.choice([8, 20])),
        "cell_bits": int(rng.integers(1, 3)),
    }
    packing = str(rng.choice(["none", "same-input"]))
    arrays = geometry(**sizes, encoding=int(rng.integers(3)), packing=packing)
    return dse.Footprint(pieces, np.zeros(shape), np.zeros(WANTED.used.shape, bool)), arrays


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_as_many_arrays_are_placed_as_are_counted(seed: int) -> None:
    footprint, arrays = drawn(seed)
    counted = count(LOAD, WANTED, footprint, arrays).arrays[0]
    found = np.zeros(counted.shape)
    seen: set[int] = set()
    for segment in place_pieces(LOAD.encoder, footprint, arrays):
        found[segment.owner, segment.layer] += segment.array not in seen
        seen.add(segment.array)

    np.testing.assert_array_equal(found, counted)
    assert seen == set(range(int(counted.sum())))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_every_cell_of_every_slice_lies_in_one_array_and_no_array_holds_more_than_fits(seed: int) -> None:
    footprint, arrays = drawn(seed)
    height, width = int(arrays.rows[0]), int(arrays.columns[0])
    cells: dict[tuple[object, ...], np.ndarray] = {}
    bitlines: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(width, int))
    for one in place_pieces(LOAD.encoder, footprint, arrays):
        piece = footprint.pieces[one.piece]
        at = (0, one.owner, one.layer, one.matrix)
        shape = (int(piece.rows[at]), int(piece.columns[at]))
        plane = cells.setdefault((one.piece, *at, one.sign, one.slice), np.zeros(shape, int))
        rows = slice(one.first_row, one.first_row + one.rows)
        plane[rows, one.first_column : one.first_column + one.columns] += 1
        bitlines[one.array][one.bitline : one.bitline + one.columns] += 1
        assert one.rows <= height
        assert one.bitline + one.columns <= width
        assert one.first_row == one.row_block * height

    assert all((plane == 1).all() for plane in cells.values())
    assert all(line.max() == 1 for line in bitlines.values())
    live = sum(int(((p.rows * p.columns * p.magnitude) > 0).sum()) for p in footprint.pieces if not p.digital)
    assert len({key[:5] for key in cells}) == live


def test_query_key_and_value_of_bert_base_lie_side_by_side() -> None:
    load = bert_base()
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    first: Segment
    first, *others = [
        one
        for one in place_pieces(load.encoder, dse.whole_footprint(wanted), geometry())
        if one.layer == 3 and one.matrix == 0
    ]

    assert (first.owner, first.sign, first.slice, first.rows, first.columns) == (1, "positive", 0, 128, 128)
    assert len(others) + 1 == 2 * 8 * 6 * 6  # signs, slices, blocks of rows and of columns
