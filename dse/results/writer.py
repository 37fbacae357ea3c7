"""Write a study's tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.files import write_whole
from dse.results.columns import SCHEMA_VERSION, Column
from dse.results.files import PARETO, TRIALS
from dse.results.pareto import front_mask


def write_tables(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    columns: Iterable[Column],
    *,
    study: str,
    objectives: Sequence[str],
    reference_point: Mapping[str, float],
) -> tuple[Path, Path]:
    """Write ``trials.parquet`` (one row per trial) and ``pareto.parquet`` (its front), each whole or not at all.

    Args:
        folder: folder of the study.
        rows: values by column name, in trial order; a missing name is an empty field.
        columns: all columns, from `dse.results.columns.study_columns`.
        study: name of the study.
        objectives: names of the objectives of the front, from `dse.results.columns.OBJECTIVES`.
        reference_point: worst value by metric, written as metadata.

    Raises:
        StudyError: a row has a value without a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dse.results.schema import arrow_schema

    columns = tuple(columns)
    _refuse_unknown(rows, {column.name for column in columns})
    schema = arrow_schema(columns, study=study, objectives=objectives, reference_point=reference_point)
    full = [
        {**row, "schema_version": SCHEMA_VERSION, "on_front": on_front}
        for row, on_front in zip(rows, front_mask(rows, objectives), strict=True)
    ]
    paths = []
    for name, chosen in ((TRIALS, full), (PARETO, [row for row in full if row["on_front"]])):
        table = pa.Table.from_pylist(chosen, schema=schema)
        paths.append(write_whole(folder / name, partial(pq.write_table, table)))
    return paths[0], paths[1]


def _refuse_unknown(rows: Iterable[Mapping[str, Any]], names: set[str]) -> None:
    """Raise for a value without a column: Arrow silently drops names that the schema lacks."""
    for row in rows:
        if not names.issuperset(row):
            raise StudyError(
                "a result has no column",
                where=f"trial {row.get('trial')}",
                expected="only values named in the study's columns",
                found=", ".join(sorted(set(row) - names)),
            )
