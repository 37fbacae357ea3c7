"""Give the values that a row holds per task to the tasks of a study, by name."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dse.records.design import DesignPoint, Value
from dse.records.parameters import INPUT_BITS, Choice, Int, Parameter
from dse.records.plugin import KINDS
from dse.results.points import point_of, tasks_of
from dse.space.searchspace import SearchedParameter, SearchSpace


def point_in(space: SearchSpace, row: Mapping[str, Any], tasks: Sequence[str] = ()) -> DesignPoint:
    """Rebuild the design of a row in a study, whose tasks may be others than the row's, or in another order.

    A task that the row lacks takes the default of the space, and comes last in an order of the tasks. A row that names no
    tasks holds its values in the order of the study's tasks.

    Args:
        space: resolved search space of the study.
        row: values by column.
        tasks: tasks whose values the row holds, in order; by default those that the row names.
    """
    point = point_of(row)
    given = list(tasks or tasks_of(row) or space.tasks)
    items = {
        item.declared.full_name: item for kind in KINDS for item in space.by_plugin.get((kind, point.plugin(kind)), ())
    }
    shared = {name: (items[name], value) for name, value in point.values.items() if name in items}
    values = {name: _place(item, value, given, space.tasks) for name, (item, value) in shared.items()}
    return replace(point, values=_move_input_bits(point, {**point.values, **values}, items.keys()))


def _move_input_bits(point: DesignPoint, values: dict[str, Value], declared: Collection[str]) -> dict[str, Value]:
    """Give the compressor the input bits that older rows hold with the hardware, or not at all."""
    bits, old = (f"{kind}.{point.plugin(kind)}.{INPUT_BITS.name}" for kind in ("compressor", "hardware"))
    if bits in declared and bits not in values:
        values[bits] = INPUT_BITS.default if old in declared else values.pop(old, INPUT_BITS.default)
    return values


def _place(item: SearchedParameter, value: Value, given: Sequence[str], tasks: Sequence[str]) -> Value:
    """Move the entries of a value from the tasks that it was given for to the study's tasks."""
    value = _to_declared(item.declared.parameter, value)
    per_task = item.is_order or "task" in item.declared.parameter.scope
    if not per_task or not isinstance(value, tuple) or len(value) != len(given) or list(given) == list(tasks):
        return value
    if item.is_order:
        named = [given[index] for index in value if isinstance(index, int) and 0 <= index < len(given)]
        served = [task for task in named if task in tasks]
        return tuple(tasks.index(task) for task in (*served, *(task for task in tasks if task not in served)))
    default = item.value([element.domain.default for element in item.elements])
    assert isinstance(default, tuple)
    by_task: dict[str, Any] = dict(zip(given, value, strict=True))
    return tuple(by_task.get(task, usual) for task, usual in zip(tasks, default, strict=True))


def _to_declared(declared: Parameter, value: Any) -> Any:
    """Return a value with the type that the plugin declares: a file may hold 3 as 3.0, or as a text."""
    if isinstance(value, tuple):
        return tuple(_to_declared(declared, item) for item in value)
    if isinstance(declared, Choice):
        choices = (*declared.choices, *(declared.allowed or ()))
        return next((choice for choice in choices if choice == value or str(choice) == str(value)), value)
    return int(value) if isinstance(declared, Int) and isinstance(value, float) and value.is_integer() else value
