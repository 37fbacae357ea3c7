"""Turn a result row back into the design that it describes."""

from collections.abc import Mapping
from typing import Any

from dse.records.design import DesignPoint, Value
from dse.records.plugin import KINDS
from dse.records.scored import CostResult
from dse.results.columns import task_names
from dse.results.plain import plain_value

PREFIX = "param."
PROFILED = "profiled"
"""Status of a row that is not a trial: a profile measured the design."""


def point_of(row: Mapping[str, Any]) -> DesignPoint:
    """Rebuild the design of a row, read from the log or from a parquet file."""
    plugins = {kind: str(row[kind]) for kind in KINDS}
    wanted = {f"{PREFIX}{kind}.{name}" for kind, name in plugins.items()}
    values: dict[str, Value] = {}
    for column, value in row.items():
        if (
            column.startswith(PREFIX)
            and ".".join(column.split(".")[:3]) in wanted
            and (plain := plain_value(value)) is not None
        ):
            values[column.removeprefix(PREFIX)] = to_tuples(plain)
    return DesignPoint(**plugins, values=values)


def tasks_of(row: Mapping[str, Any]) -> list[str]:
    """Return the tasks whose values a row's parameters hold, in order; rows of older tables name them by their columns."""
    return plain_value(row.get("tasks")) or task_names(row)


def cells_of(point: DesignPoint, cost: CostResult) -> dict[str, Any]:
    """Return the costs and parameters of a design by column."""
    return {
        **{PREFIX + name: value for name, value in point.values.items()},
        **cost.metrics,
        **{f"area.{name}": value for name, value in cost.area.items()},
        **{f"energy.{name}": value for name, value in cost.energy.items()},
    }


def to_tuples(value: Any) -> Any:
    """Turn lists, even nested ones, into tuples, so that a design can be compared and hashed."""
    return tuple(to_tuples(item) for item in value) if isinstance(value, list) else value
