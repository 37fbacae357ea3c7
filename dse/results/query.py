"""Answer SQL with DuckDB over the tables of studies, in the views `trials`, `pareto`, `studies`, `validation` and `baselines`.

The SQL may be a stranger's: DuckDB gets tables in memory, and access to no file, extension or setting.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from dse.errors import QueryError, missing_package
from dse.records.callbacks import MessageCallback, ignore_message
from dse.results.columns import task_names
from dse.results.files import BASELINES, PROVENANCE, VALIDATION
from dse.results.limited import run_limited
from dse.results.objectives import read_objectives
from dse.results.read import DAMAGE, damaged_table_error, read_provenance, read_table
from dse.results.studies import Source, join_tables
from dse.threads import count_cores

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LIMIT_S = 60.0
"""Time after which a query is ended, unless the caller sets another limit."""
_MISSING = re.compile(r'column (?:named )?"([^"]+)"')
"""Pattern of the column that a message of DuckDB reports as missing."""
_ALLOWED = frozenset(
    ("SELECT", "MULTI", "EXPLAIN", "CREATE", "DROP", "ALTER", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "TRANSACTION")
)
"""Kinds of statements that work on views and on tables in memory. Others reach files or settings."""
_BEFORE = """SET temp_directory = ''; SET python_enable_replacements = false; SET autoinstall_known_extensions = false;
    SET autoload_known_extensions = false; SET allow_community_extensions = false; SET allow_persistent_secrets = false;
    SET memory_limit = '4GB'; SET threads = {threads}"""
_BESIDE = {"validation": VALIDATION, "baselines": BASELINES}
"""Views of tables that not every study has, and that are read only if the SQL names them."""
_LARGEST_BYTES = 10**9
"""Largest answer."""


def ask(sources: Sequence[Source], sql: str, *, limit_s: float = LIMIT_S, say: MessageCallback = ignore_message) -> Any:
    """Answer a query over the views `trials`, `pareto`, `studies`, `validation` and `baselines`.

    Args:
        sources: studies in the views.
        sql: statements in DuckDB's SQL; the last statement gives the answer.
        limit_s: time after which the query is ended, s.
        say: callback for a line that says that the studies are of several editions of the accounting.

    Returns:
        A `pyarrow.Table`, in which each column has a different name.

    Raises:
        QueryError: DuckDB refuses the SQL, the SQL reaches for files or settings, or the time is over.
        SetupError: DuckDB is not installed.
        StudyError: a table is damaged, or was not written by `dse`.
    """
    table = _answer(sources, sql, where="the query", limit_s=limit_s, say=say)
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
    table = _answer(sources, sql, where="--where", condition=condition)
    return set(zip(table["study"].to_pylist(), table["trial"].to_pylist(), strict=True))


def _answer(sources: Sequence[Source], sql: str, *, say: MessageCallback = ignore_message, **options: Any) -> Any:
    """Return the Arrow table of the last statement, or None if the statement returns no table; see `answer_views`."""
    views = _read_views(sources)
    for view, file in _BESIDE.items():
        if view in sql.lower():  # a damaged file spoils no other query
            views[view] = join_tables([_read_beside(source, view, file) for source in sources], sources)
    editions = sorted({edition or 1 for edition in views["trials"]["accounting"].unique().to_pylist()})
    if len(editions) > 1:
        names = " and ".join(map(str, editions))
        say(
            f"these studies are of editions {names} of the accounting: columns of the same name may mean something else in each"
        )
    return answer_views(views, sql, **options)


def answer_views(
    views: Mapping[str, Any], sql: str, *, where: str, limit_s: float = LIMIT_S, condition: str = ""
) -> Any:
    """Return the answer over some Arrow tables by the name of their view; see `ask`."""
    connection = _connect(views)
    import duckdb

    try:
        if condition:
            duckdb.SQLExpression(condition)  # with a bracket of its own, it would be more than a condition
        return run_limited(lambda: _run(connection, sql, where), connection.interrupt, limit_s)
    except TimeoutError as error:
        fix = "ask for less, or allow more time with --time-limit" if where == "the query" else "simplify the condition"
        raise QueryError(f"DuckDB did not finish within {limit_s:g} s", where=where, fix=fix) from error
    except QueryError:
        raise
    except TypeError as error:  # of DuckDB's binding
        raise QueryError("the SQL is not UTF-8 text", where=where, found=ascii(sql), fix="write it again") from error
    except (duckdb.PermissionException, ValueError) as error:  # a ValueError is a kind of statement without a name
        raise _reach_error(where, str(error).splitlines()[0]) from error
    except duckdb.Error as error:
        raise _refusal_error(views, str(error), sql, where) from error


def _connect(views: Mapping[str, Any]) -> DuckDBPyConnection:
    """Return a database in memory that holds some Arrow tables as views and can reach nothing else."""
    try:
        import duckdb
    except ImportError as error:
        raise missing_package("SQL", "duckdb", "query") from error

    connection = duckdb.connect()
    connection.execute(_BEFORE.format(threads=min(count_cores(), 8)))
    for name, table in views.items():
        connection.register(name, table)
    # `allowed_paths` does not help: COPY could write over a study.
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")
    return connection


def _run(connection: DuckDBPyConnection, sql: str, where: str) -> Any:
    """Run statements of the allowed kinds; return the Arrow table of the last one, or None."""
    with connection:
        statements = connection.extract_statements(sql)
        if not statements:
            raise QueryError("the query is empty", where=where, expected="a query over the views", found=repr(sql))
        for kind in (statement.type.name for statement in statements):
            if kind not in _ALLOWED:
                raise _reach_error(where, f"a statement of the kind {kind}")
        relation = connection.sql(sql)
        return None if relation is None else _collect(relation, where)


def _collect(relation: Any, where: str) -> Any:
    """Return the answer as an Arrow table; an answer counts against no limit of DuckDB."""
    # DuckDB renamed the reader in 1.5; its stream, which has one name, would hold the whole answer.
    reader = (getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader)(10_000)
    batches, size = [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > _LARGEST_BYTES:
            fix = "ask for fewer rows or columns, for example with LIMIT"
            raise QueryError(f"the answer is larger than {_LARGEST_BYTES / 1e9:g} GB", where=where, fix=fix)
    return pa.Table.from_batches(batches, reader.schema)


def _read_views(sources: Sequence[Source]) -> dict[str, Any]:
    """Read the tables of the studies whole; return the Arrow table of each view.

    Raises:
        StudyError: a table is damaged, was not written by `dse`, or its columns have other types in another table.
    """
    tables = {file: read_table(file) for item in sources for file in {item.trials, item.pareto}}
    fronts = [table.filter(table["on_front"]) for table in (tables[source.pareto][0] for source in sources)]
    rows = [_describe_study(source, *tables[source.trials]) for source in sources]
    return {
        "trials": join_tables([tables[source.trials][0] for source in sources], sources),
        "pareto": join_tables(fronts, sources),  # a file that the user named may hold all trials
        "studies": pa.Table.from_pylist(rows, schema=_studies_schema()),
    }


def _read_beside(source: Source, view: str, name: str) -> Any:
    """Read a table that stands beside a study's trials and that not every study has; without rows if there is none."""
    file = source.trials.parent / name
    if not file.is_file():
        return pa.table({"trial": pa.array([], pa.int64())})
    try:
        return pq.ParquetFile(file).read(use_threads=False)
    except DAMAGE as error:
        again = {
            "validation": "validate the study again",
            "baselines": "continue the study with more trials, which writes it again",
        }
        raise damaged_table_error(file, error, subject=f"the table {name}", fix=again[view]) from error


def _studies_schema() -> Any:
    text = dict.fromkeys(("study", "name", "folder", "dse_version"), pa.string())
    lists = dict.fromkeys(("objectives", "tasks"), pa.list_(pa.string()))
    counts = dict.fromkeys(("trial_count", "schema_version"), pa.int64())
    return pa.schema({**text, **lists, "reference_point": pa.map_(pa.string(), pa.float64()), **counts})


def _describe_study(source: Source, trials: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a study in the view `studies`."""
    return {
        "study": source.study,
        "name": metadata["study"],
        "folder": str(source.trials.parent),
        "objectives": [item.name for item in read_objectives(metadata["objectives"])],
        "reference_point": metadata["reference_point"],
        "tasks": task_names(trials.schema.names),
        "trial_count": trials.num_rows,
        "schema_version": metadata["schema_version"],
        "dse_version": _dse_version(source.trials.parent / PROVENANCE),
    }


def _dse_version(provenance: Path) -> str | None:
    if not provenance.is_file():
        return None
    try:
        return str(read_provenance(provenance)["sessions"][-1]["versions"]["dse"])
    except (LookupError, TypeError) as error:
        raise damaged_table_error(provenance, "no session with its version of dse", subject="the provenance") from error


def _reach_error(where: str, reason: str) -> QueryError:
    """Build the error for SQL that reaches for files, extensions or settings."""
    return QueryError(
        "SQL reads the views of the studies and no other file, extension or setting",
        where=where,
        found=reason,
        fix="name the studies after the query, and write its answer to a file with --out",
    )


def _refusal_error(tables: Mapping[str, Any], message: str, sql: str, where: str) -> QueryError:
    """Build the error for SQL that DuckDB refuses, with names that the user may have meant."""
    views = ("pareto",) if where == "--where" else ("trials", "pareto", "studies", *_BESIDE)
    columns = sorted({name for view in views if view in tables for name in tables[view].schema.names})
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
    names: list[str] = []
    for name in table.schema.names:
        numbers = (f"{name}_{number}" for number in itertools.count(1))
        names.append(next(new for new in itertools.chain([name], numbers) if new not in names))
    table = table.rename_columns(names)
    for index, field in enumerate(table.schema):
        if pa.types.is_interval(field.type):
            fix = "cast it with ::VARCHAR"
            raise QueryError(
                "a table cannot hold an interval", where="the query", found=f"column {field.name}", fix=fix
            )
        if pa.types.is_decimal(field.type):
            table = table.set_column(index, field.name, _number(table.column(index)))
    return table


def _number(column: Any) -> Any:
    if column.type.scale == 0:
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # a sum beyond 64 bits keeps only its size
    return column.cast(pa.float64())
