"""The Arrow schema of a study's tables, built from its columns and never inferred from values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dse.results.columns import SCHEMA_VERSION, Column

if TYPE_CHECKING:
    from dse.results.objectives import Definition

_SCALARS = {"float64": pa.float64(), "int64": pa.int64(), "string": pa.string(), "bool": pa.bool_()}


def arrow_type(name: str) -> Any:
    """Return the Arrow type of a column type such as ``list<list<int64>>``."""
    if name.startswith("list<") and name.endswith(">"):
        return pa.list_(arrow_type(name[5:-1]))
    return _SCALARS[name]


def arrow_schema(
    columns: Iterable[Column], *, study: str, objectives: Iterable[Definition], reference_point: Mapping[str, float]
) -> Any:
    """Return the `pyarrow.Schema` of a study, with its name, objectives and reference point as metadata."""
    fields = [
        pa.field(column.name, arrow_type(column.type), nullable=True, metadata=_metadata(column)) for column in columns
    ]
    metadata = {
        "schema_version": str(SCHEMA_VERSION),
        "study": study,
        "objectives": json.dumps(list(objectives)),
        "reference_point": json.dumps(dict(reference_point)),
    }
    return pa.schema(fields, metadata=metadata)


def _metadata(column: Column) -> dict[str, str]:
    return {"summary": column.summary} | ({"scope": column.scope} if column.scope else {})
