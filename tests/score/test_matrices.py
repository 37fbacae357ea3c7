"""Weights come from the terms that were charged, and terms that were not charged are refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.demand import demand
from dse.records.effective import Effective
from dse.score.cut import Cut, keep_only
from dse.score.grid import best_scale, quantise, store_whole
from dse.score.matrices import digital_bits, effective
from tests.support.workloads import workload

SHAPE = (6, 5)


def codes(magnitude: int = 3, shape: tuple[int, int] = SHAPE) -> torch.Tensor:
    return torch.randint(-magnitude, magnitude + 1, shape, generator=torch.Generator().manual_seed(0)).to(torch.int16)


def test_the_effective_matrix_is_the_sum_of_its_terms_on_the_base() -> None:
    base = torch.randn(SHAPE)
    kept = torch.tensor([1, 4])
    whole = dse.Term(codes(), torch.tensor(0.5), 3)
    some = dse.Term(codes()[kept], torch.tensor([2.0, 4.0]), 3, columns=kept)
    expected = base + codes() * 0.5
    expected[kept] += codes()[kept] * torch.tensor([[2.0], [4.0]])

    torch.testing.assert_close(effective(dse.Stored((whole, some), on_base=True), base, SHAPE), expected)
    torch.testing.assert_close(effective(dse.Stored((whole,)), None, SHAPE), codes() * 0.5)


def test_scales_and_the_map_of_dropped_outputs_are_counted() -> None:
    kept = torch.tensor([0, 2])

    assert digital_bits(dse.Stored((dse.Term(codes(), torch.tensor(1.0), 3),)), 6) == 32
    assert digital_bits(dse.Stored((dse.Term(codes(), torch.ones(6, 1), 3),)), 6) == 6 * 32
    assert digital_bits(dse.Stored((dse.Term(codes()[kept], torch.tensor(1.0), 3, columns=kept),)), 6) == 32 + 6
    shared = dse.Term(codes()[kept], torch.tensor(1.0), 3, columns=kept, shared_scale=True)
    assert digital_bits(dse.Stored((shared,)), 6) == 6


def test_unsigned_codes_lie_on_a_line_of_their_own_in_each_output() -> None:
    base, kept = torch.randn(SHAPE), torch.tensor([1, 4])
    bits = (codes()[kept] > 0).to(torch.int16)
    term = dse.Term(bits, torch.tensor([2.0, 4.0]), 1, columns=kept, unsigned=True, offset=torch.tensor([-1.0, -2.0]))
    expected = base.clone()
    expected[kept] += bits * torch.tensor([[2.0], [4.0]]) - torch.tensor([[1.0], [2.0]])

    torch.testing.assert_close(effective(dse.Stored((term,), on_base=True), base, SHAPE), expected)
    assert digital_bits(dse.Stored((term,)), 6) == 2 * 32 + 2 * 32 + 6


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_grid_has_256_levels_and_is_no_worse_than_the_largest_weight_s(seed: int, per_channel: bool) -> None:
    weight = torch.randn(8, 16, generator=torch.Generator().manual_seed(seed)) * 10 ** (seed % 7 - 3)
    scale = best_scale(weight, per_channel=per_channel)
    whole = quantise(weight, scale)
    plain = weight.abs().amax(dim=1, keepdim=True) / 127 if per_channel else weight.abs().max() / 127

    assert whole.min() >= -128
    assert whole.max() <= 127
    assert torch.equal(whole, whole.round())
    error, rival = (whole * scale - weight).norm(), (quantise(weight, plain) * plain - weight).norm()
    assert error <= rival * (1 + 1e-5)


@pytest.mark.parametrize("make", [torch.zeros, torch.ones])
def test_constant_matrices_quantise_to_themselves(make: Callable[..., torch.Tensor]) -> None:
    weight = make(4, 4)

    torch.testing.assert_close(effective(store_whole(weight), None, (4, 4)), weight)


def test_a_task_sees_only_the_heads_it_keeps_of_a_base_that_is_larger() -> None:
    load = workload(2, layers=1)
    heads = np.zeros((1, 2, 1, 4), bool)
    heads[0, 0, 0, [0, 1]], heads[0, 1, 0, [1, 2]] = True, True
    plan = dse.Plan(np.zeros((1, 2, 1), int), heads=heads)
    wanted = demand(load, plan, generator="test")
    query = torch.randn(32, 32)
    part = Cut(load.encoder, plan, dse.BASE, 0, 0)

    cut = part.of(query)
    held = Effective({(0, 0): part.back(cut)})
    keep_only(load.encoder, plan, 0, held)

    assert cut.shape == (24, 32)
    assert wanted.columns[0, dse.BASE, 0, 0] == 24
    assert torch.equal(held.weights[0, 0][:16], query[:16])
    assert not held.weights[0, 0][16:].any()
