"""Statistics of the deltas between fine-tuned matrices and the base's."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor

from dse.models.loaded_workload import LoadedWorkload
from dse.records.arrays import Floats
from dse.score.decompose import decompose
from dse.score.grid import best_scale


@dataclass(frozen=True, slots=True)
class DeltaStatistics:
    """Statistics of the deltas of some matrices.

    Attributes:
        task: name of the task.
        layer: index of the layer, or "all".
        cosine: cosine between fine-tuned and base weights, in float32.
        nonzero: share of deltas that are not zero on the 8-bit grid, 0 to 1.
        magnitude: mean magnitude of the deltas that are not zero, in steps of the grid.
        largest: largest magnitude of a delta, in steps of the grid.
        saturated: share of fine-tuned weights beyond the base's grid, 0 to 1.
    """

    task: str
    layer: str
    cosine: float
    nonzero: float
    magnitude: float
    largest: int
    saturated: float


def statistics(loaded: LoadedWorkload, *, per_channel: bool = False) -> Iterator[dict[str, Any]]:
    """Give one row per layer of each task, and one per whole task; see `DeltaStatistics`."""
    base = loaded.base_weights()
    scales = {key: best_scale(weight, per_channel=per_channel) for key, weight in base.items()}
    for name in loaded.tasks:
        tuned = loaded.task_weights(name)
        layers = []
        for layer in range(loaded.encoder.layers):
            measured = [_measure(base[key], tuned[key], scales[key]) for key in base if key[0] == layer]
            layers.append(_merge(measured))
            yield asdict(_conclude(name, str(layer), layers[-1]))
        yield asdict(_conclude(name, "all", _merge(layers)))


def _measure(base: Tensor, tuned: Tensor, scale: Tensor) -> Floats:
    """Return what the statistics of one matrix follow from: seven sums, in the order of `_conclude`, and the largest delta."""
    parts = decompose(base, tuned, scale=scale)
    size = parts.delta.abs()
    squares = [base.square().sum(), tuned.square().sum()]
    sums: list[Any] = [(base * tuned).sum(), *squares, (size > 0).sum(), size.sum(), parts.saturated, base.numel()]
    return np.array([float(value) for value in (*sums, size.max())])


def _merge(measured: list[Floats]) -> Floats:
    """Return what `_measure` would return for several matrices together."""
    *sums, _ = np.sum(measured, axis=0)
    return np.array([*sums, max(of_matrix[-1] for of_matrix in measured)])


def _conclude(task: str, layer: str, measured: Floats) -> DeltaStatistics:
    dot, base, tuned, nonzero, magnitude, saturated, count, largest = map(float, measured)
    norm = (base * tuned) ** 0.5
    return DeltaStatistics(
        task,
        layer,
        cosine=dot / norm if norm else 1.0,
        nonzero=nonzero / count,
        magnitude=magnitude / nonzero if nonzero else 0.0,
        largest=int(largest),
        saturated=saturated / count,
    )
