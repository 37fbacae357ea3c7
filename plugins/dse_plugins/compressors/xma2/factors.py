"""Factors of a frozen array's columns, fitted by least squares to what the task's own matrix gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SHIFTED = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Factors that two shifts and an addition make, in three bits."""
DAMPING = 0.01
"""Added to each column's own variance, as a share of their mean: a column that hardly varies keeps the factor 1."""
KINDS = ("none", "binary", "shift", "real")


def bits_of(kind: str, scale_bits: int) -> int:
    """Bits of one factor."""
    return {"none": 0, "binary": 1, "shift": 3, "real": scale_bits}[kind]


def fit_factors(base: Tensor, wanted: Tensor, covariance: Tensor, sizes: list[int]) -> Tensor:
    """Fit the factors that bring the sum over blocks of rows closest to what is wanted.

    An output is the sum over blocks ``k`` of ``s_k x_k b_k``. With ``d`` what is wanted beyond all factors being 1, and the
    inputs' covariance ``C``, the changes ``s - 1`` solve ``(G + damping) (s - 1) = h``, ``G_kl = b_k C_kl b_l`` and
    ``h_k = b_k C_k d``.

    Args:
        base: (outputs, inputs) of the base, zero where it is not frozen.
        wanted: (outputs, inputs) of the task, zero likewise.
        covariance: (inputs, inputs) of the inputs.
        sizes: inputs of each block.

    Returns:
        float32 (blocks, outputs).
    """
    import torch

    beyond = (wanted - base).double()
    base, covariance = base.double(), covariance.double()
    sides = base.split(sizes, dim=1)
    pulls = [side @ rows for side, rows in zip(sides, covariance.split(sizes), strict=True)]  # each (outputs, inputs)
    gram = torch.stack(
        [
            torch.stack(
                [(one * two).sum(dim=1) for one, two in zip(pull.split(sizes, dim=1), sides, strict=True)], dim=1
            )
            for pull in pulls
        ],
        dim=1,
    )
    due = torch.stack([(pull * beyond).sum(dim=1) for pull in pulls], dim=1)
    held = DAMPING * gram.diagonal(dim1=1, dim2=2).mean(dim=1) + torch.finfo(torch.float32).tiny
    change = torch.linalg.solve(gram + held[:, None, None] * torch.eye(len(sides), dtype=torch.float64), due)
    found: Tensor = (1 + change).T.float().contiguous()
    return found


def round_factors(factors: Tensor, kind: str) -> Tensor:
    """Give the nearest factors of a kind."""
    import torch

    if kind == "real":
        return factors.bfloat16().float()
    levels = torch.tensor((0.0, 1.0) if kind == "binary" else SHIFTED)
    nearest: Tensor = levels[(factors[..., None] - levels).abs().argmin(dim=-1)]
    return nearest
