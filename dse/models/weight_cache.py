"""Matrices of tasks in memory: those used last are kept, up to a size; others are read again when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Weights: TypeAlias = "dict[tuple[int, int], Tensor]"


class WeightCache:
    """Matrices (outputs, inputs) by (layer, matrix) of the tasks that were used last.

    Args:
        limit_gb: size of all matrices that are kept, GB; the task that was used last is kept even if it is larger.
    """

    def __init__(self, limit_gb: float) -> None:
        self._limit = 1e9 * limit_gb
        self._by_task: dict[str, Weights] = {}  # the task that was used last is the last

    def find_or_read(self, task: str, read: Callable[[], Weights]) -> Weights:
        """Return the matrices of a task; read them unless they are in memory."""
        weights = self._by_task.pop(task, None) or read()
        self._by_task[task] = weights
        size = sum(value.nbytes for one in self._by_task.values() for value in one.values())
        while size > self._limit and len(self._by_task) > 1:
            oldest = self._by_task.pop(next(iter(self._by_task)))
            size -= sum(value.nbytes for value in oldest.values())
        return weights

    def clear(self) -> None:
        """Drop all matrices."""
        self._by_task.clear()
