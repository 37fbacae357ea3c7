"""Factors of a frozen array's columns, fitted by least squares to the outputs of the task's own matrix."""

import torch
from torch import Tensor

SHIFTED = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Factors made by two shifts and an addition, in three bits."""
DAMPING = 0.01
"""Share of the columns' mean variance added to each variance: a column that hardly varies keeps the factor 1."""
KINDS = ("none", "binary", "shift", "real")


def bits_of(kind: str, scale_bits: int) -> int:
    """Number of bits of one factor."""
    return {"none": 0, "binary": 1, "shift": 3, "real": scale_bits}[kind]


def fit_factors(base: Tensor, wanted: Tensor, covariance: Tensor, sizes: list[int]) -> Tensor:
    """Fit the factors whose sum over blocks of rows is closest to the wanted matrix.

    An output is the sum over blocks ``k`` of ``s_k x_k b_k``. ``d`` is the wanted matrix minus the base, and ``C`` the
    inputs' covariance. The changes ``s - 1`` then solve ``(G + damping) (s - 1) = h``, with ``G_kl = b_k C_kl b_l`` and
    ``h_k = b_k C_k d``.

    Args:
        base: matrix (outputs, inputs) of the base, zero where it is not frozen.
        wanted: matrix (outputs, inputs) of the task, zero where the base is not frozen.
        covariance: covariance (inputs, inputs) of the inputs.
        sizes: number of inputs of each block.

    Returns:
        Factors, float32 (blocks, outputs).
    """
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
    fitted: Tensor = (1 + change).T.float().contiguous()
    return fitted


def round_factors(factors: Tensor, kind: str) -> Tensor:
    """Return the nearest factors of a kind."""
    if kind == "real":
        return factors.bfloat16().float()
    levels = torch.tensor((0.0, 1.0) if kind == "binary" else SHIFTED, device=factors.device)
    nearest: Tensor = levels[(factors[..., None] - levels).abs().argmin(dim=-1)]
    return nearest
