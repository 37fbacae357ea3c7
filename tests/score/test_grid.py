from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dse.score import grid
from dse.score.grid import best_scale, quantise, store_in_bits
from dse.score.matrices import effective


def least_error(weights: torch.Tensor, top: int) -> float:
    """The least squared error of any step whatever, for codes from -top to top.

    As the step shrinks, the code of a weight rises from k - 1 to k where the step is the weight over k - 0.5. Between two
    such places all codes stay, and the best step for these codes follows from two sums.
    """
    size = np.abs(weights.flatten().double().numpy())
    code = np.arange(1, top + 1)
    places: NDArray[np.float64] = (size[:, None] / (code - 0.5)).ravel()
    order = np.argsort(-places)
    products = np.cumsum(np.repeat(size, top)[order])
    squares = np.cumsum(np.tile(2 * code - 1, len(size))[order])
    return float((size**2).sum() - (products**2 / squares).max())


def error(weight: torch.Tensor, bits: int, *, per_output: bool) -> torch.Tensor:
    """The squared error of what is stored, by output."""
    stored = effective(store_in_bits(weight, bits, per_output=per_output), None, (weight.shape[0], weight.shape[1]))
    return (stored.double() - weight.double()).square().sum(dim=1)


def matrix(rows: int, columns: int, *, outliers: float = 0.0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    weight = torch.randn(rows, columns, generator=draw) * torch.logspace(-2, 1, rows)[:, None]
    return weight * (1 + outliers * (torch.rand(rows, columns, generator=draw) > 0.999))


@pytest.mark.parametrize("bits", [1, 2, 4, 7])
@pytest.mark.parametrize("outliers", [0.0, 20.0])
def test_no_step_of_a_matrix_loses_less(bits: int, outliers: float) -> None:
    """Both ways to sum are used: 320 weights are sorted at 1 and 2 bits and rounded at more, 20,000 weights are sorted."""
    for weight in (matrix(8, 40, outliers=outliers), matrix(50, 400, outliers=outliers)):
        least = least_error(weight, 2**bits - 1)
        assert least <= float(error(weight, bits, per_output=False).sum()) * (1 + 1e-6)
        assert float(error(weight, bits, per_output=False).sum()) <= least * 1.02


@pytest.mark.parametrize(("bits", "spare"), [(1, 1e-3), (3, 5e-3), (4, 0.01), (7, 0.1)])
def test_no_step_of_an_output_loses_much_less(bits: int, spare: float) -> None:
    weight = matrix(20, 384)
    least = torch.tensor([least_error(row, 2**bits - 1) for row in weight], dtype=torch.float64)
    mine = error(weight, bits, per_output=True)
    assert (mine <= least * (1 + spare)).all()
    assert mine.sum() <= least.sum() * (1 + spare / 10)


def test_a_clip_far_below_half_of_the_largest_weight_is_reached() -> None:
    weight = torch.randn(700, 1_000, generator=torch.Generator().manual_seed(0))
    weight[5, 7] = 100.0
    step, largest = best_scale(weight), weight.abs().max() / 127
    assert largest * 0.15 < step < largest * 0.3
    errors = [(quantise(weight, tried) * tried - weight).norm() for tried in (step, largest * 0.5, largest)]
    assert errors[0] < 0.85 * min(errors[1:])


def test_the_search_by_sorting_and_by_rounding_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = matrix(3, 500)
    for symmetric in (False, True):
        steps = []
        for above in (0, 10**9):
            monkeypatch.setattr(grid, "_SORT_ABOVE", above)
            steps.append(best_scale(weight, per_channel=True, bits=5, symmetric=symmetric))
        assert steps[0].shape == (3, 1)
        torch.testing.assert_close(*steps, rtol=1e-5, atol=0)


def test_codes_that_lie_on_a_grid_are_found_again() -> None:
    codes = torch.randint(-128, 128, (6, 50), generator=torch.Generator().manual_seed(1)).float()
    codes[:, 0] = -128
    for per_channel in (False, True):
        scale = best_scale(codes * 0.037, per_channel=per_channel)
        assert torch.equal(quantise(codes * 0.037, scale), codes)


@pytest.mark.parametrize("per_channel", [False, True])
def test_a_matrix_of_zeros_has_a_step_above_zero_and_no_number_stays_none(per_channel: bool) -> None:
    assert (best_scale(torch.zeros(3, 4), per_channel=per_channel) > 0).all()
    assert not best_scale(torch.full((3, 4), torch.nan), per_channel=per_channel).isfinite().any()
