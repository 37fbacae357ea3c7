"""Weights of tasks in memory: those of the tasks that were used last stay; others are read again when they are needed."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from torch import Tensor

Weights: TypeAlias = dict[tuple[int, int], Tensor]
Part = TypeVar("Part")
TASKS = 4
"""Number of tasks whose weights stay in memory by default: a study with no more tasks reads nothing twice."""


class WeightCache:
    """Parts of the tasks that were used last: their matrices, and their models on crossbars.

    Args:
        limit_gb: size of all parts that stay in memory, GB; None: those of `TASKS` tasks stay, whatever their size. The parts
            of the task that was used last stay even if they are larger.
    """

    def __init__(self, limit_gb: float | None = None) -> None:
        self._limit_gb = limit_gb
        self._parts: dict[str, dict[str, tuple[Any, dict[int, int]]]] = {}  # the task that was used last is the last

    def find_or_read(
        self, task: str, part: str, read: Callable[[], Part], tensors: Callable[[Part], Iterable[Tensor]]
    ) -> Part:
        """Return a part of a task; read it unless it is in memory.

        Args:
            task: name of the task.
            part: name of the part.
            read: function that reads the part.
            tensors: function that returns the tensors of a part; memory that several parts share counts once.
        """
        parts = self._parts[task] = self._parts.pop(task, {})
        if part not in parts:
            self._make_room()
            read_now = read()
            parts[part] = read_now, {tensor.data_ptr(): tensor.nbytes for tensor in tensors(read_now)}
            self._make_room()
        value: Part = parts[part][0]
        return value

    def _make_room(self) -> None:
        """Drop the tasks that were not used for the longest time."""
        while len(self._parts) > 1 and self._is_full():
            self._parts.pop(next(iter(self._parts)))

    def _is_full(self) -> bool:
        if self._limit_gb is None:
            return len(self._parts) > TASKS
        every = [sizes.items() for parts in self._parts.values() for _, sizes in parts.values()]
        return sum(dict(chain.from_iterable(every)).values()) > 1e9 * self._limit_gb

    def drop(self, task: str, part: str) -> None:
        """Drop a part of a task."""
        self._parts.get(task, {}).pop(part, None)

    def clear(self) -> None:
        """Drop all parts."""
        self._parts.clear()
