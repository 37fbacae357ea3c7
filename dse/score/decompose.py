"""Decomposition of fine-tuned matrices against the base: both matrices and their delta, on one integer grid.

Kang et al., ICCAD 2021, section III: fine-tuned weights stay close to the base's weights, so their delta on the base's
8-bit grid is small, mostly zero, and cheap to hold.
"""

from dataclasses import dataclass

from dse.records.arrays import Tensor
from dse.score.grid import WEIGHT_BITS, best_scale, quantise


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A matrix and its base on the base's grid; ``base + delta == tuned`` exactly.

    Attributes:
        scale: step of the grid, float32 scalar or (outputs, 1).
        base: codes of the base, int16 (outputs, inputs).
        tuned: codes of the fine-tuned matrix, int16 (outputs, inputs).
        delta: ``tuned - base``, int16 (outputs, inputs).
        saturated: number of fine-tuned weights that lie beyond the base's grid and were set to its end.
    """

    scale: Tensor
    base: Tensor
    tuned: Tensor
    delta: Tensor
    saturated: int


def decompose(base: Tensor, tuned: Tensor, *, per_channel: bool = False, scale: Tensor | None = None) -> Decomposition:
    """Put a base matrix and its fine-tuned version on one integer grid.

    Args:
        base: the base's matrix, float32 (outputs, inputs).
        tuned: the fine-tuned model's matrix, float32 (outputs, inputs).
        per_channel: whether each output has its own grid.
        scale: step of the grid; by default the best step for the base alone.
    """
    import torch

    if scale is None:
        scale = best_scale(base, per_channel=per_channel)
    top = 2 ** (WEIGHT_BITS - 1)
    exact = (tuned / scale).round_()
    saturated = int(((exact < -top) | (exact > top - 1)).sum())
    below = quantise(base, scale).to(torch.int16)
    codes = exact.clamp_(-top, top - 1).to(torch.int16)
    return Decomposition(scale, below, codes, codes - below, saturated)
