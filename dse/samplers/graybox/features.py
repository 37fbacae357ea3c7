"""Numeric features of designs, on which a task's score depends."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from dse.records.arrays import Floats
from dse.records.design import DesignPoint
from dse.records.parameters import Choice, Permutation
from dse.records.plugin import KINDS
from dse.space.domain import Domain, size
from dse.space.searchspace import SearchedParameter, SearchSpace

ABSENT = 0.5
"""Value of a parameter whose plugin a design does not use."""


class Features:
    """Rows of numbers between 0 and 1, equal for two designs unless they differ in something that reaches the task's score.

    Every searched parameter that may change scores has its own columns, whichever plugins a design uses: one per layer, times
    one for a number, or one per choice otherwise. The plugin of a kind has one column per plugin. Under generators where one
    task's weights depend on other tasks, each parameter set per task has further columns, its means over the tasks.

    Args:
        space: the resolved search space.
        joint: generators under which one task's weights depend on other tasks.

    Attributes:
        width: number of columns, F.
    """

    def __init__(self, space: SearchSpace, joint: Collection[str] = ()) -> None:
        self._space, self._joint = space, frozenset(joint)
        self._columns: dict[str, slice] = {}
        self.width = 0
        for kind in KINDS:
            if kind != "scheduler" and len(space.plugins[kind]) > 1:
                self._add(str(kind), len(space.plugins[kind]))
        for item in self._items():
            self._add(item.declared.full_name, _width(item) * (2 if self._joint and _of_tasks(item) else 1))

    def of(self, points: Sequence[DesignPoint]) -> Floats:
        """Return the rows of designs, shape (P, T, F)."""
        rows = np.full((len(points), len(self._space.tasks), self.width), ABSENT)
        for kind in KINDS:
            names = self._space.plugins[kind]
            if str(kind) in self._columns:
                chosen = np.array([names.index(point.plugin(kind)) for point in points])
                rows[..., self._columns[str(kind)]] = np.eye(len(names))[chosen][:, None]
        for item in self._items():
            kind, plugin = item.declared.kind, item.declared.plugin
            using = np.array([at for at, point in enumerate(points) if point.plugin(kind) == plugin], dtype=int)
            if using.size:
                values = self._scale(item, [points[at].values[item.declared.full_name] for at in using])
                if self._joint and _of_tasks(item):
                    joint = np.array([points[at].generator in self._joint for at in using])[:, None, None]
                    means = np.where(joint, values.mean(axis=1, keepdims=True), ABSENT)
                    values = np.concatenate([values, np.broadcast_to(means, values.shape)], axis=-1)
                rows[using, :, self._columns[item.declared.full_name]] = values
        return rows

    def keys(self, points: Sequence[DesignPoint], rows: Floats) -> list[tuple[bytes, ...]]:
        """Return a key of each task's score, T keys for each of P designs; designs with the same key share the score."""
        keys = []
        for point, of_tasks in zip(points, rows, strict=True):
            reached = [of_tasks] * len(of_tasks) if point.generator in self._joint else of_tasks
            keys.append(tuple(row.tobytes() + task.to_bytes(2, "big") for task, row in enumerate(reached)))
        return keys

    def _items(self) -> list[SearchedParameter]:
        """Return searched parameters that may change scores, such as hardware parameters: terms may follow the geometry."""
        return [
            item
            for kind in KINDS
            if kind != "scheduler"
            for name in self._space.plugins[kind]
            for item in self._space.by_plugin[kind, name]
            if any(not element.is_fixed for element in item.elements)
            and not isinstance(item.declared.parameter, Permutation)
            and (item.declared.parameter.scores or kind == "hardware")
        ]

    def _add(self, name: str, width: int) -> None:
        self._columns[name] = slice(self.width, self.width + width)
        self.width += width

    def _scale(self, item: SearchedParameter, values: list[Any]) -> Floats:
        """Return a parameter's values in designs that use its plugin, shape (P, T, columns)."""
        by_element = zip(*(item.scalars(value) for value in values), strict=True)
        columns = [
            _encode_values(element.domain, column) for element, column in zip(item.elements, by_element, strict=True)
        ]
        flat = np.stack(columns, axis=1)  # (P, elements, codes)
        tasks = len(self._space.tasks)
        if _of_tasks(item):
            return flat.reshape(len(values), tasks, -1)
        return np.repeat(flat.reshape(len(values), 1, -1), tasks, axis=1)


def _of_tasks(item: SearchedParameter) -> bool:
    return "task" in item.declared.parameter.scope


def _width(item: SearchedParameter) -> int:
    """Return the number of columns that a parameter has for one task."""
    layers = item.shape[-1] if "layer" in item.declared.parameter.scope else 1
    domain = item.elements[0].domain
    return layers * len(domain.choices) if isinstance(domain, Choice) and not _is_number(domain.choices[0]) else layers


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _encode_values(domain: Domain, values: Sequence[Any]) -> Floats:
    """Return numbers for the values of one element, shape (P, codes)."""
    if isinstance(domain, Choice):
        index = np.array([domain.choices.index(value) for value in values])
        if not _is_number(domain.choices[0]):
            return np.asarray(np.eye(len(domain.choices))[index])
        return np.asarray(index / max(len(domain.choices) - 1, 1), dtype=float)[:, None]
    numbers = np.asarray(values, dtype=float)
    if size(domain) == 1:
        return np.full((len(values), 1), ABSENT)
    low, high = float(domain.low), float(domain.high)
    if domain.log:
        numbers, low, high = np.log(numbers), np.log(low), np.log(high)
    return np.asarray((numbers - low) / (high - low))[:, None]
