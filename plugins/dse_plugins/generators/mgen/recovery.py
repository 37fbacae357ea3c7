"""Least squares: the kept heads and columns of a layer make up for those that are left out."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dse import plugin
from dse_plugins.generators.mgen.importance import sides
from dse_plugins.shared import Array, Key
from dse_plugins.shared.moments import input_moments

Moments: TypeAlias = Callable[[], dict[str, Array]]
Made: TypeAlias = "tuple[dict[Key, Tensor], dict[Key, Tensor]]"
DAMPING = 0.01
"""Share of the kept inputs' mean variance added to each variance, so that inputs that hardly vary change little."""


def moments(
    context: plugin.Context, tasks: Iterable[int], rows: int, model: plugin.Model | None = None
) -> dict[str, Array]:
    """Mean and covariance of the outputs of heads and columns, over training rows; each task has the same weight.

    Args:
        context: context of the study.
        tasks: indices of the tasks.
        rows: number of training rows of each task.
        model: encoder and head to observe instead of the tasks' own; L then counts its layers.

    Returns:
        Arrays ``heads_mean`` (L, hidden), ``heads_covariance`` (L, hidden, hidden), ``ffn_mean`` (L, F) and
        ``ffn_covariance`` (L, F, F), float32.
    """
    return input_moments(context, tasks, rows, sides(context.workload.encoder), model)


def recover(
    encoder: plugin.Encoder,
    weights: plugin.Weights,
    layers: Sequence[int],
    read: Moments | None,
    masks: dict[str, Array],
) -> Made:
    """Return matrices whose kept inputs give, by least squares, the outputs of all inputs; and additions to biases.

    After Kwon et al., NeurIPS 2022, who tune a mask of the kept units in this way; here all weights of a matrix are
    free.

    Args:
        encoder: shapes of the matrices.
        weights: whole matrices.
        layers: the L layers that run.
        read: function that returns the arrays of `moments`, called only if a unit is left out.
        masks: whether each unit is kept, shape (L, units), by name of `SIDES`.

    Returns:
        Matrices and additions that change, by (layer, matrix): float32 (outputs, inputs), zero for inputs that are left
        out, and float32 (outputs,).
    """
    if read is None or all(mask.all() for mask in masks.values()):
        return {}, {}
    table = read()
    matrices: dict[Key, Tensor] = {}
    shifts: dict[Key, Tensor] = {}
    for name, index in sides(encoder).items():
        inputs = np.repeat(masks[name], encoder.head_size, axis=-1) if name == "heads" else masks[name]
        for at, layer in enumerate(layers):
            if not inputs[at].all():
                mean, covariance = table[f"{name}_mean"][at], table[f"{name}_covariance"][at]
                key = layer, index
                if not encoder.matrices[index].bias:  # no bias can hold a shift, so the mean stays in the moments
                    mean, covariance = np.zeros_like(mean), covariance + np.outer(mean, mean)
                matrices[key], shift = make_up(weights[key], mean, covariance, inputs[at])
                if encoder.matrices[index].bias:
                    shifts[key] = shift
    return matrices, shifts


def make_up(weight: Tensor, mean: Array, covariance: Array, mask: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    """Return one matrix (outputs, inputs) without some inputs, and the addition to its bias (outputs,).

    The kept weights change by ``W_gone C_gone,kept (C_kept + d)^-1`` with the inputs' covariance ``C``: the
    least-squares prediction of the inputs that are gone, reduced by the damping ``d``.
    """
    stay, gone = (torch.from_numpy(np.flatnonzero(one)) for one in (mask, ~mask))
    moments, average = torch.from_numpy(covariance).double(), torch.from_numpy(mean).double()
    whole = weight.double()
    within = moments[stay][:, stay]
    within += DAMPING * (within.diagonal().mean() + torch.finfo(torch.float32).tiny) * torch.eye(len(stay))
    across = moments[stay][:, gone] @ whole[:, gone].T
    change = torch.cholesky_solve(across, torch.linalg.cholesky(within)).T
    made = torch.zeros_like(whole)
    made[:, stay] = whole[:, stay] + change
    return made.float(), (whole[:, gone] @ average[gone] - change @ average[stay]).float()
