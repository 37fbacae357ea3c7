"""Decomposition of fine-tuned matrices against the base: both, and their difference, on one integer grid.

Kang et al., ICCAD 2021, section III: fine-tuned weights stay close to those they began with, so that their difference on
the base's 8-bit grid is small, mostly zero, and cheap to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dse.pipeline.grid import WEIGHT_BITS, best_scale, quantise

if TYPE_CHECKING:
    from torch import Tensor

    from dse.workload.service import LoadedWorkload


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A matrix and its base on the base's grid; ``base + delta == tuned`` exactly.

    Attributes:
        scale: step of the grid: float32 scalar, or (outputs, 1).
        base: (outputs, inputs) int16 codes of the base.
        tuned: (outputs, inputs) int16 codes of the fine-tuned matrix.
        delta: (outputs, inputs) int16, their difference.
        saturated: fine-tuned weights that lie beyond the base's grid and were set to its end.
    """

    scale: Tensor
    base: Tensor
    tuned: Tensor
    delta: Tensor
    saturated: int


def decompose(base: Tensor, tuned: Tensor, *, per_channel: bool = False, scale: Tensor | None = None) -> Decomposition:
    """Put a base matrix and what fine-tuning made of it on one integer grid.

    Args:
        base: float32 (outputs, inputs).
        tuned: the same of the fine-tuned model.
        per_channel: one grid for each output instead of one for the matrix.
        scale: the grid's step where it is known; by default the best for the base alone.
    """
    import torch

    if scale is None:
        scale = best_scale(base, per_channel=per_channel)
    top = 2 ** (WEIGHT_BITS - 1)
    exact = (tuned / scale).round_()
    saturated = int(((exact < -top) | (exact > top - 1)).sum())
    below = quantise(base, scale).to(torch.int16)
    codes = exact.clamp_(-top, top - 1).to(torch.int16)
    return Decomposition(scale, below, codes, codes - below, saturated)


@dataclass(frozen=True, slots=True)
class DeltaStatistics:
    """What the differences of some matrices are like.

    Attributes:
        task: name.
        layer: index, or "all".
        cosine: between fine-tuned and base weights, in float32.
        nonzero: share of differences that are not zero on the 8-bit grid.
        magnitude: mean of those that are not, in steps of the grid.
        largest: of them.
        saturated: share of fine-tuned weights beyond the base's grid.
    """

    task: str
    layer: str
    cosine: float
    nonzero: float
    magnitude: float
    largest: int
    saturated: float


def statistics(loaded: LoadedWorkload, *, per_channel: bool = False) -> Iterator[dict[str, Any]]:
    """Give one row for each layer of each task, and one for each whole task; see `DeltaStatistics`."""
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
    """Sums over matrices from which their statistics follow."""

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
