"""Effect of attention heads and feed-forward columns on a task's logits, measured without training."""

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.shared import ROUNDING, Array, Key, positions

SIDES = {"heads": "attention_output", "ffn": "ffn_out"}
"""Kinds of units that may be left out, each with the role of the matrix that has these units as inputs."""


def measure_units(context: plugin.Context, task: int, rows: int, model: plugin.Model | None = None) -> dict[str, Array]:
    """Measure, to first order, the effect of leaving out each head and each feed-forward column.

    An input ``x`` of the matrix that follows moves the logits by ``x (g W)``, with ``g`` the gradient at that matrix's
    outputs: summed over a head's inputs and a row's tokens, squared and averaged over rows. A bias can replace the
    constant part of ``x``, so only its deviation from the mean counts.

    Args:
        context: context of the study.
        task: index of the task.
        rows: number of training rows.
        model: encoder and head to observe instead of the task's own; L then counts its layers.

    Returns:
        Mean square change of the logits: ``heads``, shape (L, H), and ``ffn``, shape (L, F).
    """
    encoder = context.workload.encoder
    weights = context.task_weights(task) if model is None else model.matrices
    layers = sorted({layer for layer, _ in weights})
    where = sides(encoder)
    keys = [(layer, index) for index in where.values() for layer in layers]
    means: dict[Key, Any] = dict.fromkeys(keys, 0.0)
    tokens = 0
    for seen in context.observe(task, rows, model):  # observed twice, since the inputs are too many to store
        tokens += int(seen.mask.sum())
        for key in keys:
            means[key] = means[key] + (seen.inputs[key] * seen.mask[..., None]).sum(dim=(0, 1))
    means = {key: total / tokens for key, total in means.items()}
    effects: dict[Key, Any] = dict.fromkeys(keys, 0.0)
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


def sides(encoder: plugin.Encoder) -> dict[str, int]:
    """Index of the matrix that has units as inputs, by the kind of the units; without units that cannot be left out."""
    roles = [matrix.role for matrix in encoder.matrices]
    return {name: roles.index(role) for name, role in SIDES.items() if role in roles}


def ranks(effects: Array, block: int) -> NDArray[np.int64]:
    """Place of every unit from most to least important, shape (L, units): the unit at place 0 is left out last.

    Units of a layer form blocks of similar effect, so that whole arrays are left out. The block with the largest effect
    in each layer comes before the other blocks of all layers.

    Args:
        effects: effect of each head or column, shape (L, units).
        block: number of units that fill an array's columns.
    """
    layers, units = effects.shape
    order = np.argsort(-effects, axis=1, kind="stable")
    number = np.empty_like(order)
    np.put_along_axis(number, order, np.broadcast_to(np.arange(units) // block, order.shape), axis=1)
    blocks = -(-units // block)
    worth = np.zeros((layers, blocks))
    np.add.at(worth, (np.arange(layers)[:, None], number), effects)
    worth[:, 0] = np.inf
    return np.take_along_axis(positions(worth), number, axis=1)


def block_of(encoder: plugin.Encoder, name: str, columns: int) -> int:
    """Number of heads or feed-forward columns that are left out together, since they fill an array's columns."""
    return max(1, columns // (encoder.head_size if name == "heads" else 1))


def within(places: NDArray[np.int64], share: Array, block: int) -> NDArray[np.bool_]:
    """Whether each unit is within a share (...) of the blocks, at least one block per layer, shape (..., L, units).

    Args:
        places: places that `ranks` returned, shape (..., L, units).
        share: share of blocks to keep.
        block: number of units left out together.
    """
    layers, units = places.shape[-2:]
    count = np.maximum(np.floor(share * -(-units // block) * layers + ROUNDING), layers)
    return np.asarray(places < count[..., None, None])


def kept_shares(
    encoder: plugin.Encoder, low: float, scope: tuple[Literal["task"], ...], owner: str, layers: str
) -> tuple[plugin.Parameter, ...]:
    """Declare the shares of heads and of columns that are kept; owner and layers are words of the summaries.

    An encoder whose heads or columns cannot be left out has no such share.
    """
    return tuple(
        plugin.Float(
            name=name, low=low, high=1.0, default=1.0, limits=(0.0, 1.0), scope=scope,
            summary=f"share of {owner}'s {units} that are kept, over all {layers}",
        )
        for name, units in (("heads", "attention heads"), ("ffn", "feed-forward columns"))
        if name in sides(encoder)
    )  # fmt: skip


def order_unmeasured(layers: int, units: int, block: int) -> NDArray[np.int64]:
    """Place of every unit before the measurement, shape (L, units): the first blocks of each layer are left out last."""
    return (np.arange(units) // block)[None] * layers + np.arange(layers)[:, None]
