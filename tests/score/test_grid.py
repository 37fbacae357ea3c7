from __future__ import annotations

import pytest
import torch

from dse.score.grid import _CLIPS, best_scale, quantise


def one_by_one(weight: torch.Tensor, bits: int) -> torch.Tensor:
    """The step of a row, among the clips tried one after the other; the first of equal errors wins."""
    best, least = torch.tensor(0.0), float("inf")
    for clip in _CLIPS:
        step = weight.abs().max() * clip / (2 ** (bits - 1) - 1)
        error = float((quantise(weight, step, bits=bits) * step - weight).square().sum())
        if error < least:
            best, least = step, error
    return best


@pytest.mark.parametrize("shape", [(3, 32), (2, 70_000)])
@pytest.mark.parametrize("bits", [3, 8])
def test_a_clip_is_chosen_for_each_output_or_for_the_whole(shape: tuple[int, int], bits: int) -> None:
    draw = torch.Generator().manual_seed(0)
    weight = torch.randn(shape, generator=draw) * torch.tensor([[1.0], [30.0], [0.1]])[: shape[0]]
    steps = best_scale(weight, per_channel=True, bits=bits)
    assert steps.shape == (shape[0], 1)
    assert torch.equal(steps[:, 0], torch.stack([one_by_one(row, bits) for row in weight]))
    every_other = weight.reshape(-1)[:: max(1, weight.numel() // 65_536)]
    whole = best_scale(weight, bits=bits)
    assert whole.shape == ()
    assert whole <= weight.abs().max() / (2 ** (bits - 1) - 1)
    if every_other.numel() == weight.numel():
        assert torch.equal(whole, one_by_one(weight.reshape(-1), bits))


def test_a_matrix_of_zeros_has_a_step_above_zero() -> None:
    for per_channel in (False, True):
        assert (best_scale(torch.zeros(3, 4), per_channel=per_channel) > 0).all()
