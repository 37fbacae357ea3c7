"""Statistics of the deltas between fine-tuned matrices and the base's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dse.score.grid import best_scale

if TYPE_CHECKING:
    from torch import Tensor

    from dse.models.loaded_workload import LoadedWorkload
from dse.score.decompose import decompose


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
        whole = _Sums()
        for layer in range(loaded.encoder.layers):
            sums = _Sums()
            for key in base:
                if key[0] == layer:
                    sums.add(base[key], tuned[key], scales[key])
            whole.merge(sums)
            yield asdict(sums.result(name, str(layer)))
        yield asdict(whole.result(name, "all"))


class _Sums:
    """Sums over matrices, from which the statistics follow."""

    def __init__(self) -> None:
        self.values = dict.fromkeys(("dot", "base", "tuned", "nonzero", "magnitude", "saturated", "count"), 0.0)
        self.largest = 0

    def add(self, base: Tensor, tuned: Tensor, scale: Tensor) -> None:
        parts = decompose(base, tuned, scale=scale)
        size = parts.delta.abs()
        for name, value in (
            ("dot", (base * tuned).sum()),
            ("base", base.square().sum()),
            ("tuned", tuned.square().sum()),
            ("nonzero", (size > 0).sum()),
            ("magnitude", size.sum()),
            ("saturated", parts.saturated),
            ("count", base.numel()),
        ):
            self.values[name] += float(value)
        self.largest = max(self.largest, int(size.max()))

    def merge(self, other: _Sums) -> None:
        for name, value in other.values.items():
            self.values[name] += value
        self.largest = max(self.largest, other.largest)

    def result(self, task: str, layer: str) -> DeltaStatistics:
        sums = self.values
        norm = (sums["base"] * sums["tuned"]) ** 0.5
        return DeltaStatistics(
            task,
            layer,
            cosine=sums["dot"] / norm if norm else 1.0,
            nonzero=sums["nonzero"] / sums["count"],
            magnitude=sums["magnitude"] / sums["nonzero"] if sums["nonzero"] else 0.0,
            largest=self.largest,
            saturated=sums["saturated"] / sums["count"],
        )
