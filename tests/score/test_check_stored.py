"""Stored terms are those that the footprint charged; all others are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse.score.check_stored import check_stored
from tests.score.test_matrices import SHAPE, codes
from tests.support.workloads import encoder


def footprint(
    rows: float = 5,
    columns: float = 6,
    magnitude: float = 3,
    bits: float = 32,
    *,
    on_base: bool = False,
    unsigned: bool = False,
) -> dse.Footprint:
    shape = (1, 2, 1, 6)
    held = np.zeros(shape)
    held[0, 1, 0, 0] = 1
    piece = dse.Piece(held * rows, held * columns, held * magnitude, unsigned)
    return dse.Footprint((piece,), held * bits, np.full((1, 2, 1), on_base))


GOOD = dse.Stored((dse.Term(codes(), torch.tensor(1.0), 3),))


def check(stored: Any, charged: dse.Footprint) -> None:
    check_stored(encoder(layers=1), stored, {(0, 0): SHAPE}, charged, 1, who="compressor 'x'")


def test_terms_that_were_charged_are_accepted() -> None:
    check({(0, 0): GOOD}, footprint())
    check({(0, 0): dse.Stored(())}, footprint(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("stored", "charged", "message"),
    [
        ({}, footprint(), "a matrix was not stored"),
        (
            {(0, 0): dse.Stored((dse.Term(codes(9), torch.tensor(1.0), 3),))},
            footprint(),
            "larger than its magnitude bound",
        ),
        ({(0, 0): GOOD}, footprint(rows=4), r"not what the footprint charged for[\s\S]*\(4, 6, 3\)[\s\S]*\(5, 6, 3\)"),
        ({(0, 0): GOOD}, footprint(columns=5), "not what the footprint charged for"),
        ({(0, 0): GOOD}, footprint(magnitude=1), "not what the footprint charged for"),
        ({(0, 0): GOOD}, footprint(bits=0), "0 digital bits"),
        ({(0, 0): dse.Stored(())}, footprint(), "not what the footprint charged for"),
        ({(0, 0): dse.Stored(GOOD.terms, bias=torch.ones(5))}, footprint(), "a stored bias"),
        ({(0, 0): dse.Stored(GOOD.terms, bias=torch.full((6,), torch.nan))}, footprint(), "a stored bias"),
        (
            {(0, 0): dse.Stored((dse.Term(codes().abs(), torch.tensor(1.0), 3, unsigned=True),))},
            footprint(),
            "disagree on whether codes have a sign",
        ),
        (
            {(0, 0): dse.Stored((dse.Term(codes(), torch.tensor(1.0), 3, unsigned=True),))},
            footprint(unsigned=True),
            "like an unsigned one",
        ),
        (
            {(0, 0): dse.Stored((dse.Term(codes(), torch.tensor(1.0), 3, offset=torch.ones(6)),))},
            footprint(),
            "like an unsigned one",
        ),
        ({(0, 0): GOOD}, footprint(on_base=True), "disagree on whether a matrix is a delta"),
    ],
)
def test_terms_that_were_not_charged_are_refused(stored: Any, charged: dse.Footprint, message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=message) as caught:
        check(stored, charged)
    assert "compressor 'x', owner 1, layer 0, q" in str(caught.value)
