"""How much a task needs its attention heads and feed-forward columns, measured without training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.records.workload import Role
from dse.score.context import PipelineContext

IMPORTANCE_VERSION = 1
LITTLE = 0.01
"""Share of a layer's importance that is as good as none."""
UNITS: dict[str, Role] = {"heads": "attention_output", "ffn": "ffn_out"}
"""What may be left out of a layer, and the matrix whose inputs it is."""


def importance(context: PipelineContext, task: int, rows: int) -> dict[str, NDArray[Any]]:
    """Fisher information of a mask on each attention head and on each feed-forward column.

    With a mask ``m`` (1 everywhere) on the units and the logits ``z``, the importance of unit ``u`` is the mean over rows
    of ``|dz / dm_u|^2``: the square, expected over normal random weights ``r``, of ``d(r z) / dm_u``. To first order it is what
    leaving out the unit changes in the logits, squared. Masks and their diagonal Fisher information after Kwon et al.,
    NeurIPS 2022, there of the loss; of the logits it needs no labels and does not vanish where the loss is small.

    Units are inputs ``x`` of the matrix ``W`` that follows, so that ``dz / dm_u`` is the sum over the unit's inputs and the
    row's tokens of ``x (g W)``, with ``g`` the gradient at the matrix's outputs.

    Args:
        context: runs the task's model.
        task: index.
        rows: training rows.

    Returns:
        ``heads`` (L, H) and ``ffn`` (L, F); one is left out where the encoder does not tell which inputs these are.
    """
    import torch

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


def least(found: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the least important units of each layer carry.

    Args:
        found: (L, units) importance.

    Returns:
        (L,) share of a layer's importance that its least important half carries, 0 to 1, not a number where the layer has
        none; (L,) most units that together carry less than `LITTLE` of it.
    """
    ordered = np.sort(found, axis=1)
    total = ordered.sum(axis=1)
    with np.errstate(invalid="ignore"):
        half = ordered[:, : found.shape[1] // 2].sum(axis=1) / total
    return half, (ordered.cumsum(axis=1) < LITTLE * total[:, None]).sum(axis=1).astype(float)
