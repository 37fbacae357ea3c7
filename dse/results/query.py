"""Answer SQL with DuckDB over the parquet files of studies, in the views `trials`, `pareto` and `studies`."""

from __future__ import annotations

import glob
import itertools
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from dse.errors import QueryError, missing_package
from dse.results.files import PROVENANCE
from dse.results.read import DAMAGE, damaged_table_error, metadata_of, read_provenance, read_table
from dse.results.studies import Source

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_STUDIES = """CREATE TABLE studies (
    study VARCHAR, name VARCHAR, folder VARCHAR, objectives VARCHAR[], reference_point MAP(VARCHAR, DOUBLE),
    tasks VARCHAR[], trial_count BIGINT, schema_version BIGINT, dse_version VARCHAR
)"""
_MISSING = re.compile(r'column (?:named )?"([^"]+)"')
"""Pattern of the column that a message of DuckDB reports as missing."""


def ask(sources: Sequence[Source], sql: str) -> Any:
    """Answer a query over the views `trials`, `pareto` and `studies`.

    Args:
        sources: studies in the views.
        sql: statements in DuckDB's SQL; the last statement gives the answer.

    Returns:
        A `pyarrow.Table`, in which each column has a different name.

    Raises:
        QueryError: DuckDB refuses the SQL.
        SetupError: DuckDB is not installed.
        StudyError: a table is damaged, or was not written by `dse`.
    """
    import pyarrow as pa

    table = _answer(sources, sql, where="the query")
    return pa.table({}) if table is None else _plain(table)


def matching(sources: Sequence[Source], condition: str) -> set[tuple[str, int]]:
    """Return study and trial of the designs on the studies' fronts for which a condition in SQL holds.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: DuckDB is not installed.
        StudyError: a table is damaged, or was not written by `dse`.
    """
    # The line break keeps a comment at the condition's end from hiding the bracket.
    sql = f"SELECT study, trial FROM pareto WHERE ({condition}\n)"  # noqa: S608  # the user's own SQL on their own files
    table = _answer(sources, sql, where="--where")
    return set(zip(table["study"].to_pylist(), table["trial"].to_pylist(), strict=True))


def _answer(sources: Sequence[Source], sql: str, *, where: str) -> Any:
    """Return the Arrow table of the last statement, or None if the statement returns no table."""
    try:
        import duckdb
    except ImportError as error:
        raise missing_package("SQL", "duckdb", "query") from error
    described = [_describe_study(source) for source in sources]
    asked = False
    with duckdb.connect() as connection:
        try:
            connection.execute(_STUDIES)
            connection.executemany("INSERT INTO studies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", described)
            _create_view(connection, "trials", [(str(source.trials), source.study) for source in sources])
            _create_view(connection, "pareto", [(str(source.pareto), source.study) for source in sources])
            asked = True
            relation = connection.sql(sql)
            return None if relation is None else relation.to_arrow_table()
        except duckdb.Error as error:
            about_sql = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.DataError)
            if not asked or not isinstance(error, about_sql):
                _check_files(sources)
            raise _refusal_error(connection, str(error), sql, where) from error


def _create_view(connection: DuckDBPyConnection, view: str, files: Sequence[tuple[str, str]]) -> None:
    """Create one view over many files, in which the column `study` names the study of each row."""
    names = ", ".join(_text(glob.escape(file)) for file, _ in files)  # DuckDB reads a name as a pattern
    studies = ", ".join(f"({_text(file)}, {_text(study)})" for file, study in files)
    only = "WHERE rows.on_front" if view == "pareto" else ""
    sql = f"""CREATE VIEW {view} AS SELECT files.study, rows.* EXCLUDE (filename)
        FROM read_parquet([{names}], union_by_name = true, filename = true, hive_partitioning = false) AS rows
        JOIN (VALUES {studies}) AS files (file, study) ON files.file = rows.filename {only}"""  # noqa: S608  # quoted above
    connection.execute(sql)


def _text(value: str) -> str:
    """Quote a text for SQL; a view cannot hold parameters."""
    return "'" + value.replace("'", "''") + "'"


def _describe_study(source: Source) -> tuple[Any, ...]:
    """Return the row of a study in the view `studies`."""
    _footer(source.pareto)
    names, count, metadata = _footer(source.trials)
    return (
        source.study,
        metadata["study"],
        str(source.trials.parent),
        metadata["objectives"],
        metadata["reference_point"],
        [name.removeprefix("score.") for name in names if name.startswith("score.")],
        count,
        metadata["schema_version"],
        _dse_version(source.trials.parent / PROVENANCE),
    )


def _footer(file: Path) -> tuple[list[str], int, dict[str, Any]]:
    """Return column names, number of rows and metadata of a table; raise if `dse` did not write it."""
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
    except DAMAGE as error:
        raise damaged_table_error(file, error) from error
    return opened.schema_arrow.names, opened.metadata.num_rows, metadata_of(file, opened.schema_arrow)


def _dse_version(provenance: Path) -> str | None:
    if not provenance.is_file():
        return None
    try:
        return str(read_provenance(provenance)["sessions"][-1]["versions"]["dse"])
    except (LookupError, TypeError) as error:
        raise damaged_table_error(provenance, "no session with its version of dse", subject="the provenance") from error


def _check_files(sources: Sequence[Source]) -> None:
    """Read every file whole: DuckDB does not always name the damaged file.

    Raises:
        StudyError: a file is damaged.
    """
    for file in {file for source in sources for file in (source.trials, source.pareto)}:
        read_table(file)


def _refusal_error(connection: DuckDBPyConnection, message: str, sql: str, where: str) -> QueryError:
    """Build the error for SQL that DuckDB refuses, with names that the user may have meant."""
    views = ("pareto",) if where == "--where" else ("trials", "pareto", "studies")
    rows = connection.execute("SELECT column_name FROM duckdb_columns() WHERE list_contains(?, table_name)", [views])
    columns = sorted({name for (name,) in rows.fetchall()})
    unquoted = [name for name in columns if "." in name and re.search(rf'(?<![\w."]){re.escape(name)}(?![\w."])', sql)]
    missing = _MISSING.search(message)
    near = get_close_matches(missing[1], columns, n=3) if missing else []
    if unquoted:
        fix = "put names with dots in double quotes: " + ", ".join(f'"{name}"' for name in unquoted)
    elif near:
        fix = "did you mean " + " or ".join(f'"{name}"' for name in near) + "?"
    else:
        fix = f'`dse query "DESCRIBE {views[0]}"` lists the columns of a view'
    return QueryError(
        "DuckDB refuses the condition" if where == "--where" else "DuckDB refuses the query",
        where=where,
        expected=f"SQL over {', '.join(views)}",
        found="\n    ".join(line for line in message.splitlines() if line.strip()),
        fix=fix,
    )


def _plain(table: Any) -> Any:
    """Return the table with decimals, which DuckDB makes of sums and literals, as numbers, and with distinct names."""
    import pyarrow as pa

    names: list[str] = []
    for name in table.schema.names:
        numbers = (f"{name}_{number}" for number in itertools.count(1))
        names.append(next(new for new in itertools.chain([name], numbers) if new not in names))
    table = table.rename_columns(names)
    for index, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(index, field.name, _number(table.column(index)))
    return table


def _number(column: Any) -> Any:
    import pyarrow as pa

    if column.type.scale == 0:
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # a sum beyond 64 bits keeps only its size
    return column.cast(pa.float64())
