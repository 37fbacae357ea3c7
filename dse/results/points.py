"""Turn a result row back into the design that it describes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dse.records.design import DesignPoint, Value
from dse.records.plugin import KINDS

PREFIX = "param."
PROFILED = "profiled"
"""Status of a row that is not a trial: a profile measured the design."""


def point_of(row: Mapping[str, Any]) -> DesignPoint:
    """Rebuild the design of a row, read from the log or from a parquet file."""
    plugins = {kind: str(row[kind]) for kind in KINDS}
    wanted = {f"{PREFIX}{kind}.{name}." for kind, name in plugins.items()}
    values: dict[str, Value] = {}
    for column, value in row.items():
        if not column.startswith(PREFIX) or value is None:
            continue
        prefix = ".".join(column.split(".")[:3]) + "."
        if prefix in wanted and not _is_missing(value):
            values[column.removeprefix(PREFIX)] = _plain(value)
    return DesignPoint(**plugins, values=values)


def _plain(value: Any) -> Any:
    """Turn lists and arrays into tuples and numpy scalars into Python's."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value


def _is_missing(value: Any) -> bool:
    """Whether pandas would call the value missing; NA refuses to compare."""
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ == "NAType"
