"""Importance of attention heads and feed-forward columns for a task, measured without training."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dse.records.arrays import Floats
from dse.records.workload import Role
from dse.score.context import PipelineContext

IMPORTANCE_VERSION = 1
LITTLE = 0.01
"""Share of a layer's importance that is negligible."""
UNITS: dict[str, Role] = {"heads": "attention_output", "ffn": "ffn_out"}
"""Units that may be left out of a layer, and the role of the matrix whose inputs they are."""


def importance(context: PipelineContext, task: int, rows: int) -> dict[str, NDArray[Any]]:
    """Measure the Fisher information of a mask on each attention head and on each feed-forward column.

    With a mask ``m`` (1 everywhere) on the units and the logits ``z``, the importance of unit ``u`` is the mean over rows
    of ``|dz / dm_u|^2``: the square, expected over normal random weights ``r``, of ``d(r z) / dm_u``. To first order it is the
    squared change of the logits when the unit is left out. Kwon et al., NeurIPS 2022, introduced masks and their diagonal
    Fisher information for the loss; information about the logits needs no labels and does not vanish where the loss is small.

    Units are inputs ``x`` of the matrix ``W`` that follows, so that ``dz / dm_u`` is the sum over the unit's inputs and the
    row's tokens of ``x (g W)``, with ``g`` the gradient at the matrix's outputs.

    Args:
        context: context of the study, which runs the task's model.
        task: index of the task.
        rows: number of training rows.

    Returns:
        Importances ``heads`` (L, H) and ``ffn`` (L, F), without a kind of unit for which the encoder names no matrix.
    """
    encoder, weights = context.workload.encoder, context.task_weights(task)
    roles = [matrix.role for matrix in encoder.matrices]
    where = {name: roles.index(role) for name, role in UNITS.items() if role in roles}
    units = [(name, layer) for name in where for layer in range(encoder.layers)]
    sums: dict[tuple[str, int], Any] = dict.fromkeys(units, 0.0)
    count = 0
    for seen in context.observe(task, rows):
        count += len(seen.mask)
        for name, layer in units:
            key = (layer, where[name])
            pull = (seen.gradients[key] * seen.mask[..., None]) @ weights[key].to(seen.gradients[key])
            size = encoder.head_size if name == "heads" else 1
            slope = (seen.inputs[key] * pull).sum(dim=1).unflatten(-1, (-1, size)).sum(dim=-1)
            sums[name, layer] = sums[name, layer] + slope.square().sum(dim=0)
    return {
        name: torch.stack([sums[name, layer] / count for layer in range(encoder.layers)]).double().cpu().numpy()
        for name in where
    }


def least(importances: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the importance that the least important units of each layer carry.

    Args:
        importances: importance of each unit, shape (L, units).

    Returns:
        Share of a layer's importance that its least important half carries, 0 to 1, NaN where the layer has no importance,
        shape (L,); largest number of units that together carry less than `LITTLE` of the layer's importance, shape (L,).
    """
    ordered = np.sort(importances, axis=1)
    total = ordered.sum(axis=1)
    with np.errstate(invalid="ignore"):
        half = ordered[:, : importances.shape[1] // 2].sum(axis=1) / total
    return half, (ordered.cumsum(axis=1) < LITTLE * total[:, None]).sum(axis=1).astype(float)
