"""What a column of a difference does to the logits, in each form it may be stored in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import dse

if TYPE_CHECKING:
    from torch import Tensor

NONE, BINARY, TERNARY = range(3)
FORMS = 3
DAMPING = 0.01
"""Added to each output's own gradients, as a share of their mean, so that a bias nothing depends on stays small."""


def ternary(codes: Tensor) -> Tensor:
    """Clip integer differences to their signs."""
    return codes.clamp(-1, 1)


def binary(difference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give each output (row) of a difference its best two values.

    Args:
        difference: float32 (outputs, inputs).

    Returns:
        Bits (outputs, inputs), the step between the values (outputs, 1), and the lower value (outputs, 1).
    """
    import torch

    values, order = difference.sort(dim=1)
    size = values.shape[1]
    below = values.cumsum(dim=1)[:, :-1]  # sums of the lower group for each place where the sorted row may be cut
    count = torch.arange(1, size)
    spread = below.square() / count + (values.sum(1, keepdim=True) - below).square() / (size - count)
    cut = spread.argmax(dim=1, keepdim=True)  # the least squared error is the largest sum of squares between groups
    low = below.gather(1, cut) / (cut + 1)
    high = (values.sum(1, keepdim=True) - below.gather(1, cut)) / (size - 1 - cut)
    bits = torch.zeros_like(order, dtype=torch.bool).scatter_(1, order, torch.arange(size) > cut)
    return bits, high - low, low


def residuals(tuned: Tensor, base: Tensor, scale: Tensor) -> Tensor:
    """Give what each form leaves out of a matrix: (forms, outputs, inputs)."""
    import torch

    parts = dse.decompose(base, tuned, scale=scale)
    difference = tuned - parts.base * scale
    bits, step, low = binary(difference)
    return torch.stack(
        (difference, difference - (bits * step + low), difference - ternary(parts.delta).float() * scale)
    )


def measured(
    context: dse.Context, task: int, scales: dict[tuple[int, int], Tensor], rows: int
) -> dict[str, NDArray[Any]]:
    """Measure every output of every matrix on training rows.

    To first order, leaving ``r`` out of an output's weights changes a row's logits by ``a = sum over tokens of g (x r)``,
    with inputs ``x`` and gradients ``g`` at the output; a bias ``b`` adds ``b c``, with ``c`` the sum of ``g``. The best
    bias is the least-squares one.

    Args:
        context: of the study.
        task: index.
        scales: of the base's grid, by (layer, matrix).
        rows: training rows.

    Returns:
        ``plain`` and ``recovered`` (forms, L, outputs of all matrices in order): mean square change of the logits, without
        and with the best bias; ``bias``, the best bias, alike.
    """
    import torch

    base, tuned = context.base_weights(), context.task_weights(task)
    left = {key: residuals(tuned[key], base[key], scale) for key, scale in scales.items()}
    sums = {key: torch.zeros(2 * FORMS + 1, values.shape[1]) for key, values in left.items()}
    count = 0
    for seen in context.observe(task, rows):
        count += len(seen.mask)
        for key, out in left.items():
            gradients = seen.gradients[key] * seen.mask[..., None]
            alone = gradients.sum(dim=1)
            for form in range(FORMS):
                change = ((seen.inputs[key] @ out[form].T.to(gradients)) * gradients).sum(dim=1)
                sums[key][form] += change.square().sum(dim=0).cpu()
                sums[key][FORMS + form] += (change * alone).sum(dim=0).cpu()
            sums[key][-1] += alone.square().sum(dim=0).cpu()
    encoder = context.workload.encoder
    tables: dict[str, list[Any]] = {"plain": [], "recovered": [], "bias": []}
    for layer in range(encoder.layers):
        whole = torch.cat([sums[layer, index] for index in range(len(encoder.matrices))], dim=1) / max(count, 1)
        square, cross, alone = whole[:FORMS], whole[FORMS:-1], whole[-1]
        bias = cross / (alone + DAMPING * alone.mean()).clamp_min(torch.finfo(torch.float32).tiny)
        tables["plain"].append(square)
        tables["recovered"].append((square - 2 * bias * cross + bias.square() * alone).clamp_min(0))
        tables["bias"].append(bias)
    return {name: np.stack([part.numpy() for part in parts], axis=1) for name, parts in tables.items()}
