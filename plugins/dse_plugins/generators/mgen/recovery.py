"""Least squares: what is kept of a layer makes up for the heads and columns that are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.generators.mgen.importance import SIDES, matrix_of
from dse_plugins.shared.moments import input_moments

if TYPE_CHECKING:
    from torch import Tensor

Moments: TypeAlias = Callable[[], dict[str, NDArray[Any]]]
Made: TypeAlias = "tuple[dict[tuple[int, int], Tensor], dict[tuple[int, int], Tensor]]"
DAMPING = 0.01
"""Added to each kept input's variance, as a share of their mean, so that inputs that hardly vary change little."""


def moments(
    context: plugin.Context, tasks: Iterable[int], rows: int, model: plugin.Model | None = None
) -> dict[str, NDArray[Any]]:
    """Mean and covariance of what heads and columns give, over the tokens of training rows, each task counting alike.

    Args:
        context: of a study.
        tasks: indices.
        rows: training rows of each task.
        model: encoder and head to look at instead of the tasks' own; L are then the layers it has.

    Returns:
        ``heads_mean`` (L, hidden), ``heads_covariance`` (L, hidden, hidden), ``ffn_mean`` (L, F) and ``ffn_covariance``
        (L, F, F), float32.
    """
    encoder = context.workload.encoder
    where = {name: index for name in SIDES if (index := matrix_of(encoder, SIDES[name])) is not None}
    return input_moments(context, tasks, rows, where, model)


def recover(
    encoder: plugin.Encoder,
    weights: plugin.Weights,
    layers: Sequence[int],
    found: Moments | None,
    kept: dict[str, NDArray[Any]],
) -> Made:
    """Give matrices whose kept inputs give, in the least squares, what all inputs gave; and what biases add.

    After Kwon et al., NeurIPS 2022, who tune a mask of the kept units in this way; a matrix has as many free weights.

    Args:
        encoder: shapes.
        weights: whole matrices.
        layers: the L layers that run.
        found: gives what `moments` found; is asked if anything is left out.
        kept: (L, units) by name of `SIDES`.

    Returns:
        Those that change, by (layer, matrix): float32 (outputs, inputs), zero where inputs are left out, and (outputs,).
    """
    if found is None or all(one.all() for one in kept.values()):
        return {}, {}
    table = found()
    matrices: dict[tuple[int, int], Tensor] = {}
    shifts: dict[tuple[int, int], Tensor] = {}
    for name, role in SIDES.items():
        index = matrix_of(encoder, role)
        if index is None:
            continue
        inputs = np.repeat(kept[name], encoder.head_size, axis=-1) if name == "heads" else kept[name]
        for at, layer in enumerate(layers):
            if not inputs[at].all():
                mean, covariance = table[f"{name}_mean"][at], table[f"{name}_covariance"][at]
                key = layer, index
                matrices[key], shifts[key] = make_up(weights[key], mean, covariance, inputs[at])
    return matrices, shifts


def make_up(
    weight: Tensor, mean: NDArray[Any], covariance: NDArray[Any], kept: NDArray[np.bool_]
) -> tuple[Tensor, Tensor]:
    """Give one matrix (outputs, inputs) without some inputs, and what its bias adds (outputs,).

    The kept weights change by ``W_gone C_gone,kept (C_kept + d)^-1`` with the inputs' covariance ``C``: the least-squares
    prediction of what is gone, held back by the damping ``d``.
    """
    import torch

    stay, gone = (torch.from_numpy(np.flatnonzero(one)) for one in (kept, ~kept))
    moments, average = torch.from_numpy(covariance).double(), torch.from_numpy(mean).double()
    whole = weight.double()
    within = moments[stay][:, stay]
    within += DAMPING * (within.diagonal().mean() + torch.finfo(torch.float32).tiny) * torch.eye(len(stay))
    across = moments[stay][:, gone] @ whole[:, gone].T
    change = torch.cholesky_solve(across, torch.linalg.cholesky(within)).T
    made = torch.zeros_like(whole)
    made[:, stay] = whole[:, stay] + change
    return made.float(), (whole[:, gone] @ average[gone] - change @ average[stay]).float()
