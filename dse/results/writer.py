"""Write a study's tables."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.files import write_whole
from dse.results.columns import SCHEMA_VERSION, Column
from dse.results.files import PARETO, TRIALS
from dse.results.objectives import Definition, read_objectives
from dse.results.pareto import front_mask

CHUNK = 256
"""Rows that are held as they are; a dict takes ten times the memory of a row of an Arrow table."""


class Rows:
    """Rows of a study in trial order, in little memory.

    Args:
        columns: all columns of the study.
        rows: values by column name; a missing name is an empty field.

    Raises:
        StudyError: a row has a value without a column.
    """

    def __init__(self, columns: Iterable[Column], rows: Iterable[Mapping[str, Any]] = ()) -> None:
        import pyarrow as pa

        from dse.results.schema import arrow_type

        self.columns = tuple(columns)
        self._schema = pa.schema([(column.name, arrow_type(column.type)) for column in self.columns])
        self._table = self._schema.empty_table()
        self._last: list[Mapping[str, Any]] = []
        for row in rows:
            self.append(row)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        _refuse_unknown(row, self._schema.names)
        self._last.append(row)
        if len(self._last) >= CHUNK:
            self._table, self._last = self.table(), []

    def table(self) -> Any:
        """Return all rows as a `pyarrow.Table`."""
        import pyarrow as pa

        return pa.concat_tables([self._table, pa.Table.from_pylist(self._last, schema=self._schema)])


def write_tables(
    folder: Path,
    rows: Rows,
    *,
    study: str,
    objectives: Sequence[Definition],
    reference_point: Mapping[str, float],
) -> tuple[Path, Path]:
    """Write ``trials.parquet`` (one row per trial) and ``pareto.parquet`` (its front), each whole or not at all.

    Args:
        folder: folder of the study.
        rows: all rows of the study.
        study: name of the study.
        objectives: objectives of the front, as the log holds them; written as metadata.
        reference_point: worst value by metric, written as metadata.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dse.results.schema import arrow_schema

    table = rows.table()
    items = read_objectives(objectives)
    asked = {"status", *(item.column for item in items)}
    mask = front_mask(table.select([name for name in table.column_names if name in asked]).to_pylist(), items)
    made = {"schema_version": [SCHEMA_VERSION] * len(mask), "on_front": mask}
    schema = arrow_schema(rows.columns, study=study, objectives=objectives, reference_point=reference_point)
    arrays = [pa.array(made[f.name], f.type) if f.name in made else table.column(f.name) for f in schema]
    full = pa.Table.from_arrays(arrays, schema=schema)
    paths = []
    for name, chosen in ((TRIALS, full), (PARETO, full.filter(pa.array(mask, pa.bool_())))):
        paths.append(write_whole(folder / name, partial(pq.write_table, chosen)))
    return paths[0], paths[1]


def _refuse_unknown(row: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise for a value without a column: Arrow silently drops names that the schema lacks."""
    if unknown := set(row).difference(names):
        raise StudyError(
            "a result has no column",
            where=f"trial {row.get('trial')}",
            expected="only values named in the study's columns",
            found=", ".join(sorted(unknown)),
        )
