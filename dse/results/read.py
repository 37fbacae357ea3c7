"""Read a study's results back, for the command line, the Python API and notebooks."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import StudyError
from dse.files import is_file, is_folder
from dse.records.plugin import KINDS
from dse.results.columns import COST_METRICS, IDENTITY, RECORD, SCHEMA_VERSION, SCORE_METRICS, task_names
from dse.results.files import LOG, PROVENANCE, TRIALS
from dse.results.objectives import read_objectives, rename_ratios
from dse.results.parts import is_sweep, list_parts, read_parts
from dse.results.status import Status

if TYPE_CHECKING:
    import pandas as pd

DAMAGE = (OSError, ValueError, TypeError, KeyError, NotImplementedError, MemoryError)
"""Errors that pyarrow raises for a file that is not parquet, or is damaged; its own errors derive from these."""
ALWAYS = ("trial", "status", "on_front", *KINDS)
"""Columns that every reader needs."""


def read_trials(path: Path | str) -> pd.DataFrame:
    """Read all trials of a study, one row per trial.

    Args:
        path: the study's folder, or a parquet file.

    Raises:
        StudyError: there is no study, or its table is damaged.
    """
    file = table_file(path, TRIALS)
    return to_frame(read_table(file)[0], file)


def read_provenance(path: Path | str) -> dict[str, Any]:
    """Read versions, plugins, hashes, seed and machine of a study.

    Raises:
        StudyError: there is no study, or the file is damaged.
    """
    file = table_file(path, PROVENANCE)
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged_table_error(file, error, subject="the provenance") from error
    sessions = loaded.get("sessions", []) if isinstance(loaded, dict) else None
    if not isinstance(sessions, list) or not all(isinstance(session, dict) for session in sessions):
        raise damaged_table_error(file, f"{loaded!r:.60}", subject="the provenance")
    return dict(loaded)


def show(path: Path | str, trial: int) -> dict[str, Any]:
    """Return the row of one trial, by column, without its empty fields.

    Raises:
        StudyError: the study or the trial does not exist, or the table is damaged.
    """
    file = table_file(path, TRIALS)
    return trial_of(read_table(file)[0], trial, file)


def trial_of(table: Any, trial: int, file: Path) -> dict[str, Any]:
    """Return the row of a trial in an Arrow table, read from a file, by column, without its empty fields.

    Raises:
        StudyError: the trial does not exist, or the table is damaged.
    """
    import pyarrow.compute as pc

    try:
        rows = table.filter(pc.equal(table["trial"], trial)).to_pylist() if trial < 2**63 else []
    except DAMAGE as error:
        raise damaged_table_error(file, error) from error
    if not rows:
        count = table.num_rows
        raise StudyError(
            f"there is no trial {trial}",
            where=file,
            expected=f"0 to {count - 1}" if count else "(the study has no trials yet)",
        )
    return {name: value for name, value in rows[0].items() if value is not None}


def to_frame(table: Any, file: Path) -> pd.DataFrame:
    """Turn an Arrow table, read from a file, into a data frame with nullable whole numbers.

    Without them, an empty field would turn a column of counts into floats.

    Raises:
        StudyError: the table is damaged.
    """
    try:
        frame: pd.DataFrame = table.to_pandas(types_mapper=nullable, use_threads=False)
    except DAMAGE as error:
        raise damaged_table_error(file, error) from error
    return frame


def nullable(arrow_type: Any) -> Any:
    """Return the nullable pandas type for whole numbers and truth values; None for other Arrow types."""
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_integer(arrow_type):
        return pd.UInt64Dtype() if pa.types.is_uint64(arrow_type) else pd.Int64Dtype()
    return pd.BooleanDtype() if pa.types.is_boolean(arrow_type) else None


def read_table(file: Path) -> tuple[Any, dict[str, Any]]:
    """Read an Arrow table and its metadata, and check the columns that every reader needs.

    Raises:
        StudyError: the file is not a table of a study, or it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dse.results.schema import arrow_type

    try:
        # This reads one file, never a folder: a folder's first file would silently decide the columns of all files.
        # It opens the file once: given a path, pyarrow opens it twice, and a running study may replace it in between.
        # It uses one thread: pyarrow's pool can abort or hang a program that ends soon (apache/arrow 34314, 50482).
        table = read_parts(file) if is_folder(file) else pq.ParquetFile(file).read(use_threads=False)
    except DAMAGE as error:
        raise damaged_table_error(file, error) from error
    metadata = metadata_of(file, table.schema)
    names = table.schema.names
    if names.count("study") == 1:  # an answer of `dse query`; readers name the study themselves
        table = table.drop_columns("study")
    if len(set(names)) < len(names):
        raise damaged_table_error(file, f"column {next(name for name in names if names.count(name) > 1)} twice")
    for name in (*ALWAYS, *(item.column for item in read_objectives(metadata["objectives"]))):
        if name not in names:
            raise damaged_table_error(file, f"no column {name}")
    for column in (*IDENTITY, *COST_METRICS, *SCORE_METRICS, *RECORD):
        if column.name not in names or column.type.startswith("list<"):
            continue
        if (actual := table.schema.field(column.name).type) != arrow_type(column.type):
            raise damaged_table_error(file, f"column {column.name} of type {actual} instead of {column.type}")
    if reason := _find_damage(table, metadata, is_answer="study" in names):
        raise damaged_table_error(file, reason)
    if "tasks" not in names:  # a table of an older version names its tasks by its columns
        column = pa.array([task_names(names)] * len(table), pa.list_(pa.string()))
        table = table.append_column("tasks", column)
    if "accounting" not in names:  # accounting had one edition
        table = table.append_column("accounting", pa.array([1] * len(table), pa.int64()))
    return table, metadata


def read_metadata(file: Path) -> dict[str, Any]:
    """Read the metadata of a table of a study or a sweep.

    Raises:
        StudyError: the file is not a table of a study, or it is damaged.
    """
    import pyarrow.parquet as pq

    if not is_folder(file):
        return read_table(file)[1]
    part = next(iter(list_parts(file)), file)
    try:
        return metadata_of(file, pq.ParquetFile(part).schema_arrow)
    except DAMAGE as error:
        raise damaged_table_error(part, error) from error


def _find_damage(table: Any, metadata: Mapping[str, Any], *, is_answer: bool) -> str:
    """Return what no study has written into these values; an answer of `dse query` may hold several studies."""
    import pyarrow.compute as pc

    for name in ("trial", "status", "on_front"):
        if table[name].null_count:
            return f"column {name} without a value in row {pc.index(table[name].is_null(), True).as_py()}"
    if unknown := set(pc.unique(table["status"]).to_pylist()) - set(Status):
        return f"status {min(unknown)!r}"
    if not is_answer and pc.count_distinct(table["trial"]).as_py() < len(table):
        return "column trial with one number in two rows"
    front = table.filter(table["on_front"])
    for column in (item.column for item in read_objectives(metadata["objectives"])):
        if not pc.all(pc.is_finite(front[column]), min_count=0).as_py():
            return f"column {column} of a design on the front that is not finite"
    return ""


def metadata_of(file: Path, schema: Any) -> dict[str, Any]:
    """Check and return the metadata that a run writes into a table's schema.

    Raises:
        StudyError: `dse` did not write the table, a newer `dse` wrote it, or it is damaged.
    """
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
            raise damaged_table_error(file, f"metadata without {', '.join(sorted(lacking))}")
        version, objectives = int(text["schema_version"]), json.loads(text["objectives"])
        study, reference = text["study"], json.loads(text["reference_point"])
    except (ValueError, RecursionError) as error:
        raise damaged_table_error(file, f"metadata that is not JSON: {error}") from error
    if version > SCHEMA_VERSION:
        raise StudyError(
            "this table was written by a newer dse",
            where=file,
            expected=f"schema_version {SCHEMA_VERSION}",
            found=f"schema_version {version}",
            fix="read it with the version of dse that wrote it",
        )
    try:
        read_objectives(objectives)
    except ValueError as error:
        raise damaged_table_error(file, error) from error
    if not isinstance(reference, dict) or not all(isinstance(limit, int | float) for limit in reference.values()):
        raise damaged_table_error(file, f"reference point {reference!r:.60}")
    point = rename_ratios(reference, schema.names)
    return {"schema_version": version, "study": study, "objectives": objectives, "reference_point": point}


def damaged_table_error(
    file: Path,
    error: object,
    *,
    subject: str = "the table",
    fix: str = "run the study again: the run writes the file again from the log",
) -> StudyError:
    """Build the error for a file that cannot be read as a run wrote it.

    Args:
        file: path of the file.
        error: reason why the file cannot be read.
        subject: name of the file's content in the message.
        fix: advice to the reader.
    """
    if isinstance(error, PermissionError):
        return StudyError(f"{subject} cannot be read: permission denied", where=file, fix="make the file readable")
    if isinstance(error, UnicodeEncodeError):
        return StudyError(
            "a path has bytes that are not UTF-8, and no table has such a path", where=file, fix="rename it"
        )
    lines = str(error).splitlines()
    return StudyError(
        f"{subject} is damaged",
        where=file,
        found=lines[0] if lines else type(error).__name__,
        fix=fix,
    )


def table_file(path: Path | str, name: str) -> Path:
    """Return the path of a study's file: the path itself, or the file with this name in the folder.

    Raises:
        StudyError: the path holds no study.
    """
    path = Path(path)
    if is_file(path) and path.suffix == Path(name).suffix:
        return path
    if is_file(path / name) or (name == TRIALS and is_sweep(path)):
        return path / name
    if name == TRIALS and path.name == TRIALS and is_sweep(path.parent):
        return path
    if is_folder(path) and not os.access(path, os.R_OK | os.X_OK):
        raise damaged_table_error(path, PermissionError(), subject="the study")
    if is_file(path / LOG):
        raise StudyError(
            "the study has a log but no results yet", where=path / name, fix="continue the study, which writes them"
        )
    siblings = sorted(item.parent.name for item in path.parent.glob(f"*/{TRIALS}")) if is_folder(path.parent) else []
    raise StudyError(
        "there is no study here",
        where=path,
        expected=f"a folder with {name}, as a run writes it",
        found=f"studies beside it: {', '.join(siblings)}" if siblings else "no study beside it",
    )
