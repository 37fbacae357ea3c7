"""Read a study's results back: for the command line, the Python API and notebooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import StudyError, unknown_name
from dse.records.plugin import KINDS
from dse.results.columns import COST_METRICS, IDENTITY, METRIC_NAMES, OBJECTIVES, RECORD, SCHEMA_VERSION, SCORE_METRICS
from dse.results.files import LOG, PARETO, PROVENANCE, TRIALS

if TYPE_CHECKING:
    import pandas as pd

_DAMAGE = (OSError, ValueError, TypeError, KeyError, NotImplementedError, MemoryError)
"""What pyarrow raises for a file that is no parquet, or was one: its own errors are of these kinds."""
_ALWAYS = ("trial", "status", "on_front", *KINDS)
FRONT_COLUMNS = ("trial", *KINDS, *METRIC_NAMES)


def read_trials(path: Path | str) -> pd.DataFrame:
    """All trials of a study, one row each.

    Args:
        path: the study's folder, or a parquet file.

    Raises:
        StudyError: there is no study, or its table is damaged.
    """
    return _frame(_file(path, TRIALS))[0]


def read_front(path: Path | str) -> pd.DataFrame:
    """The Pareto front of a study: the done trials that no other one beats.

    Args:
        path: the study's folder, or a parquet file.

    Raises:
        StudyError: there is no study, or its table is damaged.
    """
    return _frame(_file(path, PARETO))[0]


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Name, objectives, reference point and schema version kept in a study's table.

    Raises:
        StudyError: there is no study, or its table is damaged.
    """
    import pyarrow.parquet as pq

    file = _file(path, TRIALS)
    try:
        schema = pq.read_schema(file)
    except _DAMAGE as error:
        raise _damaged(file, error) from error
    return _metadata(file, schema)


def read_provenance(path: Path | str) -> dict[str, Any]:
    """Versions, plugins, hashes, seed and machine of a study.

    Raises:
        StudyError: there is no study, or the file is damaged.
    """
    file = _file(path, PROVENANCE)
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(file, error, what="the provenance") from error
    if not isinstance(loaded, dict):
        raise _damaged(file, f"{loaded!r:.60}", what="the provenance")
    return loaded


def front_table(
    path: Path | str,
    *,
    columns: Sequence[str] = (),
    sort: str | None = None,
    descending: bool = False,
    max_drop: float | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Part of a study's front, ready to print.

    Args:
        path: the study's folder.
        columns: which ones; by default the plugins and every metric that was measured.
        sort: column to sort by; by default the first objective, best first.
        descending: largest first.
        max_drop: keep designs that lose at most so many points.
        limit: keep so many rows.

    Raises:
        StudyError: there is no study, or its table is damaged.
        UnknownNameError: a column does not exist.
    """
    frame, metadata = _frame(_file(path, PARETO))
    for name in (*columns, *([sort] if sort else []), *(["accuracy_drop"] if max_drop is not None else [])):
        if name not in frame.columns:
            raise unknown_name("column", name, frame.columns, where=path)
    if max_drop is not None:
        frame = frame[frame["accuracy_drop"] <= max_drop]
    if sort is None:
        first = OBJECTIVES[metadata["objectives"][0]]
        sort, descending = first.column, first.maximise
    frame = frame.sort_values([sort, "trial"], ascending=[not descending, True])
    known = [name for name in FRONT_COLUMNS if name in frame.columns]
    wanted = list(columns) or [name for name in known if frame[name].notna().any() or name == "trial"]
    if limit is not None:
        frame = frame.head(limit)
    return frame[wanted].reset_index(drop=True)


def show(path: Path | str, trial: int) -> dict[str, Any]:
    """Everything known about one trial, by column; empty cells are left out.

    Raises:
        StudyError: there is no such study or trial, or its table is damaged.
    """
    import pyarrow.compute as pc

    file = _file(path, TRIALS)
    table, _ = _table(file)
    try:
        rows = table.filter(pc.equal(table["trial"], trial)).to_pylist()
    except _DAMAGE as error:
        raise _damaged(file, error) from error
    if not rows:
        count = table.num_rows
        raise StudyError(
            f"there is no trial {trial}",
            where=file,
            expected=f"0 to {count - 1}" if count else "(the study has no trials yet)",
        )
    return {name: value for name, value in rows[0].items() if value is not None}


def _frame(file: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table and its metadata, with nullable integers: an empty cell must not turn a column of counts into floats."""
    import pandas as pd
    import pyarrow as pa

    table, metadata = _table(file)
    mapping = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    try:
        frame: pd.DataFrame = table.to_pandas(types_mapper=mapping.get, use_threads=False)
    except _DAMAGE as error:
        raise _damaged(file, error) from error
    return frame, metadata


def _table(file: Path) -> tuple[Any, dict[str, Any]]:
    """An Arrow table and its metadata, with the columns that every reader relies on."""
    import pyarrow.parquet as pq

    from dse.results.schema import arrow_type

    try:
        # Reading one file, never a folder: a folder's first file would silently decide the columns of all. And one open
        # file: given a path, pyarrow opens it twice, and a study that runs may have replaced it in between.
        # One thread: pyarrow's pool can abort or hang a short program that ends right after a read (apache/arrow 34314, 50482).
        table = pq.ParquetFile(file).read(use_threads=False)
    except _DAMAGE as error:
        raise _damaged(file, error) from error
    metadata = _metadata(file, table.schema)
    names = table.schema.names
    if len(set(names)) < len(names):
        raise _damaged(file, f"column {next(name for name in names if names.count(name) > 1)} twice")
    for name in (*_ALWAYS, *(OBJECTIVES[name].column for name in metadata["objectives"])):
        if name not in names:
            raise _damaged(file, f"no column {name}")
    for column in (*IDENTITY, *COST_METRICS, *SCORE_METRICS, *RECORD):
        if column.name not in names or column.type.startswith("list<"):
            continue
        if (found := table.schema.field(column.name).type) != arrow_type(column.type):
            raise _damaged(file, f"column {column.name} of {found} instead of {column.type}")
    return table, metadata


def _metadata(file: Path, schema: Any) -> dict[str, Any]:
    """Check what a run keeps in a table's schema."""
    try:
        text = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        if "schema_version" not in text:
            raise StudyError(
                "this table was not written by dse",
                where=file,
                expected="metadata schema_version, as a run writes it",
                found=", ".join(sorted(text)) or "no metadata",
                fix="name the folder of a study, or one of its tables as it was written",
            )
        if lacking := {"study", "objectives", "reference_point"} - set(text):
            raise _damaged(file, f"metadata without {', '.join(sorted(lacking))}")
        version, objectives = int(text["schema_version"]), json.loads(text["objectives"])
        study, reference = text["study"], json.loads(text["reference_point"])
    except (ValueError, RecursionError) as error:
        raise _damaged(file, error) from error
    if version > SCHEMA_VERSION:
        raise StudyError(
            "this table was written by a newer dse",
            where=file,
            expected=f"schema_version {SCHEMA_VERSION}",
            found=f"schema_version {version}",
            fix="read it with the version of dse that wrote it",
        )
    if not isinstance(objectives, list) or not objectives or not all(name in list(OBJECTIVES) for name in objectives):
        raise _damaged(file, f"objectives {objectives!r:.60}")
    if not isinstance(reference, dict):
        raise _damaged(file, f"reference point {reference!r:.60}")
    return {"schema_version": version, "study": study, "objectives": objectives, "reference_point": reference}


def _damaged(file: Path, error: object, *, what: str = "the table") -> StudyError:
    lines = str(error).splitlines()
    return StudyError(
        f"{what} is damaged",
        where=file,
        found=lines[0] if lines else type(error).__name__,
        fix="run the study again: it is written anew from the log",
    )


def _file(path: Path | str, name: str) -> Path:
    path = Path(path)
    if path.is_file() and path.suffix == Path(name).suffix:
        return path
    if (path / name).is_file():
        return path / name
    if (path / LOG).is_file():
        raise StudyError(
            "the study has a log but no results yet", where=path / name, fix="continue the study, which writes them"
        )
    siblings = sorted(item.parent.name for item in path.parent.glob(f"*/{TRIALS}")) if path.parent.is_dir() else []
    raise StudyError(
        "there is no study here",
        where=path,
        expected=f"a folder with {name}, as a run writes it",
        found=f"studies beside it: {', '.join(siblings)}" if siblings else "nothing of the kind",
    )
