"""Read a study's results back: for the command line, the Python API and notebooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import StudyError, unknown_name
from dse.records.plugin import KINDS
from dse.results.columns import METRIC_NAMES, OBJECTIVES
from dse.results.files import LOG, PARETO, PROVENANCE, TRIALS

if TYPE_CHECKING:
    import pandas as pd

_DAMAGE = (OSError, ValueError, TypeError, KeyError, NotImplementedError, MemoryError)
"""What pyarrow raises for a file that is no parquet, or was one: its own errors are of these kinds."""
FRONT_COLUMNS = ("trial", *KINDS, *METRIC_NAMES)


def read_trials(path: Path | str) -> pd.DataFrame:
    """All trials of a study, one row each.

    Args:
        path: the study's folder, or a parquet file.

    Raises:
        StudyError: there is no study.
    """
    return _frame(_file(path, TRIALS))


def read_front(path: Path | str) -> pd.DataFrame:
    """The Pareto front of a study: the done trials that no other one beats.

    Args:
        path: the study's folder, or a parquet file.

    Raises:
        StudyError: there is no study.
    """
    return _frame(_file(path, PARETO))


def read_metadata(path: Path | str) -> dict[str, Any]:
    """Name, objectives, reference point and schema version kept in a study's table."""
    import pyarrow.parquet as pq

    file = _file(path, TRIALS)
    try:
        raw = pq.read_schema(file).metadata or {}
        text = {key.decode(): value.decode() for key, value in raw.items()}
    except _DAMAGE as error:
        raise _damaged(file, error) from error
    if "schema_version" not in text:
        raise StudyError("this table was not written by dse", where=path, expected="metadata schema_version")
    try:
        found = {
            "schema_version": int(text["schema_version"]),
            "study": text["study"],
            "objectives": json.loads(text["objectives"]),
            "reference_point": json.loads(text["reference_point"]),
        }
    except (ValueError, KeyError) as error:
        raise _damaged(file, error) from error
    if not found["objectives"] or not set(found["objectives"]) <= set(OBJECTIVES):
        raise _damaged(file, f"objectives {found['objectives']!r:.60}")
    return found


def read_provenance(path: Path | str) -> dict[str, Any]:
    """Versions, plugins, hashes, seed and machine of a study."""
    file = _file(path, PROVENANCE)
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(file, error) from error
    if not isinstance(loaded, dict):
        raise _damaged(file, f"{loaded!r:.60}")
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
        StudyError: there is no study.
        UnknownNameError: a column does not exist.
    """
    frame = read_front(path)
    objectives = read_metadata(path)["objectives"]
    for name in (*columns, *([sort] if sort else [])):
        if name not in frame.columns:
            raise unknown_name("column", name, frame.columns, where=path)
    if max_drop is not None:
        frame = frame[frame["accuracy_drop"] <= max_drop]
    if sort is None:
        first = OBJECTIVES[objectives[0]]
        sort, descending = first.column, first.maximise
    frame = frame.sort_values([sort, "trial"], ascending=[not descending, True])
    wanted = list(columns) or [name for name in FRONT_COLUMNS if frame[name].notna().any() or name == "trial"]
    if limit is not None:
        frame = frame.head(limit)
    return frame[wanted].reset_index(drop=True)


def show(path: Path | str, trial: int) -> dict[str, Any]:
    """Everything known about one trial, by column; empty cells are left out.

    Raises:
        StudyError: there is no such study or trial.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = _file(path, TRIALS)
    read_metadata(file)  # says so if the table is damaged or of something else
    try:
        # One open file: given a path, pyarrow opens it twice, and a study that runs may have replaced it in between.
        table = pq.ParquetFile(file).read()
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


def _frame(file: Path) -> pd.DataFrame:
    """Read with nullable integers: an empty cell must not turn a column of counts into floats."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    mapping = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    # Reading one file, never a folder: a folder's first file would silently decide the columns of all.
    try:
        frame: pd.DataFrame = pq.ParquetFile(file).read().to_pandas(types_mapper=mapping.get)
    except _DAMAGE as error:
        raise _damaged(file, error) from error
    return frame


def _damaged(file: Path, error: object) -> StudyError:
    return StudyError(
        "the table is damaged", where=file, found=error, fix="run the study again: it is written anew from the log"
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
