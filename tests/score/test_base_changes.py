"""What the base's arrays compute with beneath an owner, and factors or images that were not charged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse.cost.demand import demand
from dse.score.base_changes import held_base
from dse.score.check_stored import check_stored
from tests.support.workloads import workload

LOAD = workload(1, layers=1)
ROWS, COLUMNS = 16, 24
KEY = (0, 5)  # 32 outputs, 64 inputs: 2 x 4 blocks


def charged(blocks: np.ndarray, **changes: Any) -> dse.Footprint:
    """One owner whose last matrix has some blocks written, its partial sums scaled, and a digital term."""
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    shape = (*wanted.used.shape, len(LOAD.encoder.matrices))
    on_base = wanted.used.copy()
    on_base[:, dse.BASE] = False
    all_blocks = np.zeros((1, 2, 4 * 4 + 2 * 3 + 2 * 4), dtype=bool)
    all_blocks[0, 1, -8:] = blocks.ravel()
    scalings, bits, rows = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    scalings[0, 1, 0, 5], rows[0, 1, 0, 5] = 4 * 32, 64
    bits[0, 1, 0, 5] = 4 * 32 * 16 + 2 * 64 * 8 + dse.SCALE_BITS + 32
    live = (rows > 0).astype(np.float64)
    piece = dse.Piece(rows, 2 * live, 127 * live, digital=True)
    what = dse.Reprogrammed(ROWS, COLUMNS, all_blocks)
    return replace(dse.Footprint((piece,), bits, on_base, what, scalings), **changes)


def stored(blocks: np.ndarray, **changes: Any) -> dse.Stored:
    codes = torch.full((32, 64), 3, dtype=torch.int16)
    image = dse.Image(codes, torch.tensor(0.5), torch.from_numpy(blocks))
    factors = torch.arange(4 * 32.0).reshape(4, 32)
    scaling = dse.Scaling(factors, ROWS, torch.ones(4, 32, dtype=torch.bool), bits=16)
    term = dse.Term(
        torch.ones((2, 64), dtype=torch.int16), torch.tensor(1.0), 127, columns=torch.arange(2), digital=True
    )
    return replace(dse.Stored((term,), on_base=True, image=image, scaling=scaling), **changes)


def check(made: dse.Stored, footprint: dse.Footprint) -> None:
    check_stored(LOAD.encoder, {KEY: made}, {KEY: (32, 64)}, footprint, 1, who="compressor 'x'")


BLOCKS = np.zeros((2, 4), dtype=bool)
BLOCKS[1, 2] = True  # outputs 24 to 31, inputs 32 to 47


def test_written_blocks_take_the_place_of_the_scaled_base() -> None:
    base = torch.randn(32, 64, generator=torch.Generator().manual_seed(0))
    made = stored(BLOCKS)

    found = held_base(made, base, dse.Matrices({KEY: base}), KEY, charged(BLOCKS).reprogrammed)

    for output in range(32):
        for row in range(64):
            factor = float(row // ROWS * 32 + output)
            expected = 1.5 if output >= 24 and 32 <= row < 48 else float(base[output, row]) * factor
            assert float(found[output, row]) == pytest.approx(expected)


def test_blocks_are_those_of_the_whole_matrix() -> None:
    """Where outputs and inputs are removed, what is left stays in its block."""
    outputs, inputs = torch.tensor([1, 25, 30]), torch.tensor([0, 33, 63])
    base = torch.ones(3, 3)
    image = dse.Image(torch.full((3, 3), 7), torch.tensor(1.0), torch.from_numpy(BLOCKS))
    cut = dse.Matrices({KEY: base}, {KEY: outputs}, {KEY: inputs})

    found = held_base(dse.Stored((), on_base=True, image=image), base, cut, KEY, charged(BLOCKS).reprogrammed)

    assert found.tolist() == [[1, 1, 1], [1, 7, 1], [1, 7, 1]]


def test_what_was_charged_is_accepted() -> None:
    check(stored(BLOCKS), charged(BLOCKS))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (stored(np.roll(BLOCKS, 1)), "blocks that are written are not the blocks"),
        (stored(BLOCKS, image=None), "blocks that are written are not the blocks"),
        (stored(BLOCKS, scaling=None), "disagree on scalings"),
        (stored(BLOCKS, on_base=False), "stored without a base"),
        (stored(BLOCKS, terms=(replace(stored(BLOCKS).terms[0], digital=False),)), "whether arrays hold it"),
        (
            stored(BLOCKS, image=dse.Image(torch.full((32, 64), 200), torch.tensor(1.0), torch.from_numpy(BLOCKS))),
            "does not fit its cells",
        ),
        (
            stored(BLOCKS, scaling=replace(stored(BLOCKS).scaling, bits=32)),  # type: ignore[type-var]  # it is not None
            "not what the footprint charged",
        ),
    ],
)
def test_what_was_not_charged_is_refused(made: dse.Stored, message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=message):
        check(made, charged(BLOCKS))


def test_factors_may_be_charged_as_shifts() -> None:
    footprint = charged(BLOCKS)
    shifted = replace(footprint, scalings=None, shifts=footprint.scalings)
    scaling = stored(BLOCKS).scaling
    assert scaling is not None

    check(stored(BLOCKS, scaling=replace(scaling, shifts=True)), shifted)
    with pytest.raises(dse.PluginContractError, match="disagree on scalings"):
        check(stored(BLOCKS), shifted)
