"""Two products in sequence: what they come to, what they are charged, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse.cost.check_footprint import check_footprint
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.records.effective import Effective
from dse.score.check_stored import check_stored
from dse.score.cut import Cut, keep_only
from dse.score.matrices import effective, products
from tests.support.workloads import encoder, geometry, minilm, workload

SHAPE = (6, 5)


def codes(outputs: int, inputs: int) -> torch.Tensor:
    return torch.randint(-3, 4, (outputs, inputs), generator=torch.Generator().manual_seed(0)).to(torch.int16)


WHOLE = dse.Term(codes(*SHAPE), torch.tensor(1.0), 3)
FIRST = dse.Term(codes(2, 5), torch.tensor([1.0, 2.0]), 3)
SECOND = dse.Term(codes(6, 2), torch.ones(6, 1), 3, fed_by=1)


def test_factors_are_no_part_of_the_sum_and_come_as_pairs() -> None:
    stored = dse.Stored((WHOLE, FIRST, SECOND))
    pairs = products(stored, SHAPE)

    torch.testing.assert_close(effective(stored, None, SHAPE), codes(*SHAPE).float())
    torch.testing.assert_close(pairs[0][0], codes(2, 5) * torch.tensor([[1.0], [2.0]]))
    torch.testing.assert_close(pairs[0][1], codes(6, 2).float())
    assert len(pairs) == 1
    assert products(dse.Stored((WHOLE,)), SHAPE) == []


def check(*terms: dse.Term, fed_by: int | None = 1) -> None:
    held = np.zeros((1, 2, 1, 6))
    held[0, 1, 0, 0] = 1
    sizes = ((5, 6, None), (5, 2, None), (2, 6, fed_by))
    pieces = tuple(dse.Piece(held * rows, held * columns, held * 3, fed_by=feeds) for rows, columns, feeds in sizes)
    footprint = dse.Footprint(pieces, held * 32 * (1 + 2 + 6), np.zeros((1, 2, 1), bool))
    stored = {(0, 0): dse.Stored(terms)}
    check_stored(encoder(layers=1), stored, {(0, 0): SHAPE}, footprint, 1, who="compressor 'x'")


def test_a_product_that_was_charged_is_accepted() -> None:
    check(WHOLE, FIRST, SECOND)


@pytest.mark.parametrize(
    ("terms", "fed_by", "message"),
    [
        ((WHOLE, FIRST, SECOND), None, "disagree on what feeds the term"),
        ((WHOLE, FIRST, replace(SECOND, fed_by=0)), 0, r"fed by a term that does not fit it[\s\S]*6 outputs"),
        ((WHOLE, FIRST, replace(SECOND, fed_by=7)), 7, "fed by a term that does not fit it"),
        ((WHOLE, FIRST, replace(SECOND, fed_by=2)), 2, "fed by a term that does not fit it"),
    ],
)
def test_factors_that_do_not_fit_are_refused(terms: Any, fed_by: Any, message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=message) as caught:
        check(*terms, fed_by=fed_by)
    assert "compressor 'x', owner 1, layer 0, q" in str(caught.value)


def test_second_factors_share_no_arrays_and_wait_once_for_each_input() -> None:
    load = minilm()
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    held = np.zeros((*wanted.used.shape, 6))
    held[:, 1] = wanted.used[:, 1, :, None]
    first = dse.Piece(held * wanted.rows, held * 20, held)
    second = dse.Piece(held * 20, held * wanted.columns, held, fed_by=0)
    nothing = np.zeros(held.shape)
    made = dse.Footprint((first, second), nothing, np.zeros(wanted.used.shape, bool))
    counts = count(load, wanted, made, geometry())

    packed = 2 * (3 + 3 + 3 + 12)  # 60 columns of query, key and value in one block column; then three single matrices
    assert counts.arrays[0, 1, 0] == packed + 2 * (3 + 3 + 3 + 3 + 12 + 3)
    assert counts.fed[0, 1, 0] == 6 * 20
    assert counts.extra_stages[0, 1, 0] == 4  # query, key and value wait together
    assert not counts.extra_stages[0, 0].any()
    some = replace(second, columns=second.columns * np.array([1, 0, 0, 0, 0, 1]))
    counts = count(load, wanted, replace(made, pieces=(first, some)), geometry())
    assert counts.extra_stages[0, 1, 0] == 2


def test_what_a_task_removes_is_removed_from_products_too() -> None:
    load = workload(1)
    ffn = np.ones((1, 1, 2, load.encoder.ffn), bool)
    ffn[..., ::2] = False
    plan = dse.Plan(dse.separate_models(load, 1).owner, ffn=ffn)
    inner, outer = (0, 4), (0, 5)
    draw = torch.Generator().manual_seed(1)
    held = Effective(
        {inner: torch.ones(64, 32), outer: torch.ones(32, 64)},
        products={
            inner: ((torch.randn(3, 32, generator=draw), torch.randn(64, 3, generator=draw)),),
            outer: ((torch.randn(3, 64, generator=draw), torch.randn(32, 3, generator=draw)),),
        },
    )
    keep_only(load.encoder, plan, 0, held)
    (first, second), (third, fourth) = held.products[inner][0], held.products[outer][0]

    assert not second[::2].any()
    assert second[1::2].all()
    assert first.all()
    assert not third[:, ::2].any()
    assert third[:, 1::2].all()
    assert fourth.all()


def test_factors_of_cut_matrices_are_put_back_where_they_belong() -> None:
    load = workload(1)
    ffn = np.zeros((1, 1, 2, load.encoder.ffn), bool)
    ffn[..., [3, 10]] = True
    plan = dse.Plan(dse.separate_models(load, 1).owner, ffn=ffn)
    inner, outer = (Cut(load.encoder, plan, 1, 0, index) for index in (4, 5))
    inputs, outputs = outer.inputs_back(torch.ones(1, 2)), inner.bias_back(torch.ones(2, 1))

    assert inputs.shape == (1, 64)
    assert inputs.nonzero()[:, 1].tolist() == [3, 10]
    assert outputs.shape == (64, 1)
    assert outputs.nonzero()[:, 0].tolist() == [3, 10]
    assert inner.inputs_back(torch.ones(1, 32)).shape == (1, 32)


@pytest.mark.parametrize("fed_by", [-1, 2, 1])
def test_a_footprint_whose_pieces_feed_nothing_that_exists_is_refused(fed_by: int) -> None:
    wanted = demand(workload(1), dse.separate_models(workload(1), 1), generator="test")
    whole = dse.whole_footprint(wanted)
    pieces = (whole.pieces[0], replace(whole.pieces[0], fed_by=fed_by))
    with pytest.raises(dse.PluginContractError, match="unusable footprint") as caught:
        check_footprint(replace(whole, pieces=pieces), wanted, "x")
    assert "pieces[1].fed_by" in str(caught.value)
