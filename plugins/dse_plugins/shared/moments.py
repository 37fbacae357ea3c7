"""Mean and covariance of the inputs of matrices, on training rows."""

from collections.abc import Iterable, Mapping
from typing import Any

from dse import plugin
from dse_plugins.shared import Array, Key


def input_moments(
    context: plugin.Context,
    tasks: Iterable[int],
    rows: int,
    where: Mapping[str, int],
    model: plugin.Model | None = None,
) -> dict[str, Array]:
    """Measure the mean and covariance of the inputs of some matrices, over training rows; tasks have equal weights.

    Args:
        context: context of the study.
        tasks: indices of the tasks.
        rows: number of training rows of each task.
        where: index of a matrix in its layer, by the name that its results get.
        model: encoder and head to observe instead of the tasks' own; L then counts its layers.

    Returns:
        Arrays by name, float32: ``<name>_mean`` (L, inputs) and ``<name>_covariance`` (L, inputs, inputs) of each matrix.
    """
    import torch

    tasks = tuple(tasks)
    sums: dict[Key, Any] = {}
    squares: dict[Key, Any] = {}
    for task in tasks:
        own: dict[Key, list[Any]] = {}
        tokens = 0
        for seen in context.observe(task, rows, model):
            tokens += int(seen.mask.sum())
            for key in (key for key in seen.inputs if key[1] in where.values()):
                inputs = seen.inputs[key][seen.mask]
                total, square = own.get(key, (0.0, 0.0))
                own[key] = [total + inputs.sum(dim=0).double(), square + (inputs.T @ inputs).double()]
        for key, (total, square) in own.items():
            sums[key] = sums.get(key, 0.0) + total / (tokens * len(tasks))
            squares[key] = squares.get(key, 0.0) + square / (tokens * len(tasks))
    table: dict[str, Array] = {}
    for name, index in where.items():
        layers = sorted(layer for layer, matrix in sums if matrix == index)
        mean = torch.stack([sums[layer, index] for layer in layers])
        square = torch.stack([squares[layer, index] for layer in layers])
        table[f"{name}_mean"] = mean.float().cpu().numpy()
        table[f"{name}_covariance"] = (square - mean[:, :, None] * mean[:, None, :]).float().cpu().numpy()
    return table
