"""What attention heads and feed-forward columns do to a task's logits, measured without training."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin

_ROUNDING = 1e-9
SIDES = {"heads": "attention_output", "ffn": "ffn_out"}
"""What may be left out, and the matrix whose inputs it is."""


def measure_units(
    context: plugin.Context, task: int, rows: int, model: plugin.Model | None = None
) -> dict[str, NDArray[Any]]:
    """Measure what leaving out each head and each feed-forward column changes, to first order.

    An input ``x`` of the matrix that follows moves the logits by ``x (g W)``, with ``g`` the gradient at that matrix's outputs:
    summed over a head's inputs and a row's tokens, squared and averaged over rows. What is constant in it a bias can give
    back, so that only its deviation from the mean counts.

    Args:
        context: of a study.
        task: index.
        rows: training rows.
        model: encoder and head to look at instead of the task's own; L are then the layers it has.

    Returns:
        ``heads`` (L, H) and ``ffn`` (L, F): mean square change of the logits.
    """
    import torch

    encoder = context.workload.encoder
    weights = context.task_weights(task) if model is None else model.matrices
    layers = sorted({layer for layer, _ in weights})
    where = {name: index for name in SIDES if (index := matrix_of(encoder, SIDES[name])) is not None}
    keys = [(layer, index) for index in where.values() for layer in layers]
    means: dict[tuple[int, int], Any] = dict.fromkeys(keys, 0.0)
    tokens = 0
    for seen in context.observe(task, rows, model):  # twice, since what is seen is too much to keep
        tokens += int(seen.mask.sum())
        for key in keys:
            means[key] = means[key] + (seen.inputs[key] * seen.mask[..., None]).sum(dim=(0, 1))
    means = {key: total / tokens for key, total in means.items()}
    effects: dict[tuple[int, int], Any] = dict.fromkeys(keys, 0.0)
    count = 0
    for seen in context.observe(task, rows, model):
        count += len(seen.mask)
        for key in keys:
            size = encoder.head_size if key[1] == where.get("heads") else 1
            pull = (seen.gradients[key] * seen.mask[..., None]) @ weights[key].to(seen.gradients[key])
            change = ((seen.inputs[key] - means[key]) * pull).sum(dim=1).unflatten(-1, (-1, size)).sum(dim=-1)
            effects[key] = effects[key] + change.square().sum(dim=0)
    return {
        name: torch.stack([effects[layer, index] / count for layer in layers]).double().cpu().numpy()
        for name, index in where.items()
    }


def matrix_of(encoder: plugin.Encoder, role: str) -> int | None:
    """Index of the matrix of a role; None where the encoder names none."""
    roles = [matrix.role for matrix in encoder.matrices]
    return roles.index(role) if role in roles else None


def ranks(effects: NDArray[Any], block: int) -> NDArray[np.int64]:
    """Place of every unit in the order in which units are left out last, (L, units).

    Units of a layer are taken together in blocks of like effect, so that whole arrays go; the block that does most in each
    layer is never left out before the others of all layers.

    Args:
        effects: (L, units) of each head or column.
        block: units that fill an array's columns.
    """
    layers, units = effects.shape
    order = np.argsort(-effects, axis=1, kind="stable")
    number = np.empty_like(order)
    np.put_along_axis(number, order, np.broadcast_to(np.arange(units) // block, order.shape), axis=1)
    blocks = -(-units // block)
    worth = np.zeros((layers, blocks))
    np.add.at(worth, (np.arange(layers)[:, None], number), effects)
    worth[:, 0] = np.inf
    place = np.empty(worth.size, dtype=np.int64)
    place[np.argsort(-worth, axis=None, kind="stable")] = np.arange(worth.size)
    return np.take_along_axis(place.reshape(worth.shape), number, axis=1)


def block_of(encoder: plugin.Encoder, name: str, columns: int) -> int:
    """Heads, or feed-forward columns, that are left out together: as many as fill an array's columns."""
    return max(1, columns // (encoder.head_size if name == "heads" else 1))


def within(places: NDArray[np.int64], share: NDArray[Any], block: int) -> NDArray[np.bool_]:
    """Which units (..., L, units) are within a share (...) of their blocks; one block a layer at least.

    Args:
        places: (..., L, units) of `ranks`.
        share: to keep.
        block: units left out together.
    """
    layers, units = places.shape[-2:]
    count = np.maximum(np.floor(share * -(-units // block) * layers + _ROUNDING), layers)
    return np.asarray(places < count[..., None, None])


def order_unmeasured(layers: int, units: int, block: int) -> NDArray[np.int64]:
    """Places (L, units) before anything is measured: the first blocks of each layer stay longest."""
    return (np.arange(units) // block)[None] * layers + np.arange(layers)[:, None]
