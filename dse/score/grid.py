"""The 8-bit grid of a matrix: one scale and integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dse.records.stored import Stored, Term

if TYPE_CHECKING:
    from torch import Tensor

WEIGHT_BITS = 8
_CLIPS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
_ENOUGH = 65_536


def best_scale(weight: Tensor, *, per_channel: bool = False, bits: int = WEIGHT_BITS) -> Tensor:
    """Return the grid step with the smallest squared error, among clips of the largest weight.

    Args:
        weight: matrix, float32 (outputs, inputs).
        per_channel: whether each output has its own scale.
        bits: bits of the grid, sign included.

    Returns:
        Step of the grid, float32 scalar or (outputs, 1).
    """
    import torch

    top = float(2 ** (bits - 1) - 1)
    sample = weight if per_channel else _thin(weight)
    largest = weight.abs().amax(dim=1, keepdim=True) if per_channel else weight.abs().max()
    largest = largest.clamp_min(torch.finfo(torch.float32).tiny * 2**24)
    scales = torch.stack([largest * clip / top for clip in _CLIPS])
    errors = []
    # A small matrix tries all clips at once; copies of a large one would leave the caches of a CPU.
    for some in scales.split(len(_CLIPS) if sample.numel() <= _ENOUGH else 1):
        step = some if per_channel else some[:, None]
        wrong = quantise(sample, step, bits=bits).mul_(step).sub_(sample)
        errors.append(wrong.square_().sum(dim=-1, keepdim=per_channel))
    return scales.gather(0, torch.cat(errors).argmin(dim=0, keepdim=True))[0]


def quantise(weight: Tensor, scale: Tensor, *, bits: int = WEIGHT_BITS) -> Tensor:
    """Round to the grid and saturate; return whole numbers from -2^(bits-1) to 2^(bits-1) - 1 in float32.

    Args:
        weight: values to round.
        scale: width of one step of the grid; broadcasts over `weight`.
        bits: size of a grid value, with its sign.
    """
    top = 2 ** (bits - 1)
    return (weight / scale).round_().clamp_(-top, top - 1)


def store_whole(weight: Tensor) -> Stored:
    """Store a matrix (outputs, inputs) whole in 8 bits on its own best grid, as the baseline does.

    Args:
        weight: float matrix of shape (outputs, inputs).
    """
    import torch

    scale = best_scale(weight)
    return Stored((Term(quantise(weight, scale).to(torch.int16), scale, 2 ** (WEIGHT_BITS - 1)),))


def _thin(weight: Tensor) -> Tensor:
    """Return every n-th weight of a large matrix: a sample estimates the mean error of a clip well enough."""
    flat = weight.reshape(-1)
    return flat[:: max(1, flat.numel() // _ENOUGH)]
