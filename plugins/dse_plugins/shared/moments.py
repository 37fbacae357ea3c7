"""Mean and covariance of what matrices are given, on training rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from dse import plugin


def input_moments(
    context: plugin.Context,
    tasks: Iterable[int],
    rows: int,
    where: Mapping[str, int],
    model: plugin.Model | None = None,
) -> dict[str, NDArray[Any]]:
    """Mean and covariance of the inputs of some matrices, over the tokens of training rows, each task counting alike.

    Args:
        context: of a study.
        tasks: indices.
        rows: training rows of each task.
        where: index of a matrix of a layer, by the name its results get.
        model: encoder and head to look at instead of the tasks' own; L are then the layers it has.

    Returns:
        For each name ``<name>_mean`` (L, inputs) and ``<name>_covariance`` (L, inputs, inputs), float32.
    """
    import torch

    tasks = tuple(tasks)
    sums: dict[tuple[int, int], Any] = {}
    squares: dict[tuple[int, int], Any] = {}
    for task in tasks:
        own: dict[tuple[int, int], list[Any]] = {}
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
    found: dict[str, NDArray[Any]] = {}
    for name, index in where.items():
        layers = sorted(layer for layer, matrix in sums if matrix == index)
        mean = torch.stack([sums[layer, index] for layer in layers])
        square = torch.stack([squares[layer, index] for layer in layers])
        found[f"{name}_mean"] = mean.float().cpu().numpy()
        found[f"{name}_covariance"] = (square - mean[:, :, None] * mean[:, None, :]).float().cpu().numpy()
    return found
