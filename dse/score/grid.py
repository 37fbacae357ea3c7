"""The grid of a matrix: one scale, or one per output, and integers."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from dse.records.arrays import Tensor
from dse.records.stored import Stored, Term

WEIGHT_BITS = 8
_PER_OCTAVE = 16
"""Steps that the first search tries between one step and its half."""
_OCTAVES = 24
"""Halvings after which the search ends whatever it has reached: weights that are not numbers never end it."""
_AT_ONCE = 2**17
"""Codes that are made at once: more would leave the caches of a CPU."""
_SORT_ABOVE = 64
"""Weights of a row per code of its grid, above which sorting the row is faster than rounding it for every step."""

Sums: TypeAlias = tuple[Tensor, Tensor]
"""For every row and step, (R, S): the sum of weight times code, and of the code's square."""


def best_scale(
    weight: Tensor, *, per_channel: bool = False, bits: int = WEIGHT_BITS, symmetric: bool = False
) -> Tensor:
    """Return the grid step with the smallest squared error over all weights.

    The search tries steps in equal ratios, downward from twice the smallest step that saturates no weight: any larger step
    could be halved and would lose no more. It ends where saturation alone loses more than the best step does, since that loss
    only grows as the step shrinks. Then it tries steps around the best one, and moves to the least-squares step of the
    codes.

    Args:
        weight: matrix, float32 (outputs, inputs).
        per_channel: whether each output has its own scale.
        bits: bits of the grid, sign included.
        symmetric: whether the most negative code is the negative of the largest; by default it is one lower.

    Returns:
        Step of the grid, float32 scalar or (outputs, 1).
    """
    import torch

    top = 2 ** (bits - 1) - 1
    low = -top if symmetric else -top - 1
    whole = weight.detach().to("cpu", torch.float32)
    rows = whole if per_channel else whole.reshape(1, -1)
    sums = (_sort if rows.shape[1] > _SORT_ABOVE * 2**bits else _round)(rows, low, top)
    widest = torch.maximum(rows.amax(dim=1, keepdim=True) / top, rows.amin(dim=1, keepdim=True) / low)
    widest = widest.clamp_min(torch.finfo(torch.float32).tiny * 2**24).double()
    square = rows.square().sum(dim=1, keepdim=True, dtype=torch.float64)
    best = [torch.zeros_like(widest), widest, widest]
    for octave in range(_OCTAVES):
        best = _try_steps(sums, widest * 2.0 ** (1 - octave - torch.arange(_PER_OCTAVE) / _PER_OCTAVE), best)
        beyond = (rows.abs() - (widest * top * 2.0**-octave).float()).clamp_min_(0)
        if bool((beyond.square_().sum(dim=1, keepdim=True, dtype=torch.float64) >= square - best[0]).all()):
            break
    best = _try_steps(sums, best[2] * 2.0 ** (torch.linspace(-1, 1, _PER_OCTAVE + 1) / _PER_OCTAVE), best)
    for _ in range(2):
        best = _try_steps(sums, best[1], best)
    scale = best[1].float().to(weight.device)
    return scale if per_channel else scale[0, 0]


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


def store_in_bits(weight: Tensor, bits: int, *, per_output: bool = True) -> Stored:
    """Store a matrix whole in fewer bits on its best grids: post-training quantisation without any method.

    Args:
        weight: float matrix of shape (outputs, inputs).
        bits: bits of a code's magnitude, 1 to 15; the sign comes on top.
        per_output: whether each output has its own grid; by default the matrix has one grid per output.
    """
    import torch

    top = 2**bits - 1
    scale = best_scale(weight, per_channel=per_output, bits=bits + 1, symmetric=True)
    return Stored((Term((weight / scale).round_().clamp_(-top, top).to(torch.int16), scale, top),))


def _try_steps(sums: Callable[[Tensor], Sums], steps: Tensor, best: list[Tensor]) -> list[Tensor]:
    """Return, for each row, how much of its square the best step explains, the best step for those codes, and the step.

    For fixed codes k of weights w, the squared error is smallest at the step sum(wk) / sum(kk), and is then
    sum(ww) - sum(wk)^2 / sum(kk).
    """
    import torch

    products, squares = sums(steps.float())
    fitted = products / squares.clamp_min(1)
    explained, at = (products * fitted).max(dim=1, keepdim=True)
    new = (explained, fitted.gather(1, at), steps.gather(1, at))
    return [torch.where(explained > best[0], after, before) for after, before in zip(new, best, strict=True)]


def _round(rows: Tensor, lowest: int, highest: int) -> Callable[[Tensor], Sums]:
    """Return a function that makes the sums by rounding each row (R, N) to each of its steps (R, S)."""
    import torch

    def sums(steps: Tensor) -> Sums:
        parts = max(1, _AT_ONCE // (steps.shape[1] * rows.shape[1]))
        products, squares = [], []
        for values, step in zip(rows[:, None].split(parts), steps[..., None].split(parts), strict=True):
            codes = (values / step).round_().clamp_(lowest, highest)
            products.append((codes * values).sum(dim=-1, dtype=torch.float64))
            squares.append(codes.square_().sum(dim=-1, dtype=torch.float64))
        return torch.cat(products), torch.cat(squares)

    return sums


def _sort(rows: Tensor, lowest: int, highest: int) -> Callable[[Tensor], Sums]:
    """Return a function that makes the sums from rows (R, N) that are sorted once: a code rises by one at each edge."""
    import torch

    in_order = torch.from_numpy(np.sort(rows.numpy(), axis=1))
    below = torch.nn.functional.pad(in_order.cumsum(dim=1, dtype=torch.float64), (1, 0))
    lower = torch.arange(lowest, highest, dtype=torch.float64)  # code below each edge

    def sums(steps: Tensor) -> Sums:
        edges = steps[..., None] * (lower + 0.5).float()
        count = torch.searchsorted(in_order, edges.flatten(1))
        products = highest * below[:, -1:] - below.gather(1, count).view(edges.shape).sum(dim=-1)
        return products, highest**2 * rows.shape[1] - count.view(edges.shape).double() @ (2 * lower + 1)

    return sums
