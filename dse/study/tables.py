"""Result files of a study, derived from its log at any time."""

import json
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.files import write_text_whole
from dse.results.columns import IDENTITY, merge_columns
from dse.results.files import LOG, PARETO, PROVENANCE, TRIALS
from dse.results.objectives import evaluate_objectives, read_objectives
from dse.results.writer import Rows, write_tables
from dse.study.log.file import read_events
from dse.study.log.history import History, read_history
from dse.study.provenance import accounting_of


def refresh(folder: Path | str) -> tuple[Path, Path]:
    """Write ``trials.parquet`` and ``pareto.parquet`` again from the log, e.g. of a study that is running or was killed.

    Raises:
        StudyError: the log is missing or damaged.
    """
    folder = Path(folder)
    events, _ = read_events(folder / LOG)
    if not events:
        raise StudyError("there is no study here", where=folder, expected=f"a folder with {LOG}")
    return write_results(folder, read_history(events, folder / LOG))


def check_tables(folder: Path, history: History, trials: int) -> None:
    """Refuse a log that knows fewer trials than the table of the study; a trial in flight is evaluated again.

    Args:
        folder: folder of the study.
        history: the log.
        trials: number of finished trials.

    Raises:
        StudyError: the log has lost trials, or the path of a table is not a file.
    """
    import pyarrow.parquet as pq

    for path in (folder / TRIALS, folder / PARETO):
        if path.exists() and not path.is_file():
            raise StudyError("a table of the study is not a file", where=path, fix="move it, and continue the study")
    try:
        count = pq.read_metadata(folder / TRIALS).num_rows
    except (OSError, ValueError):  # there is no table yet, or it is damaged and written again
        return
    if count > trials + (history.in_flight is not None):
        message, where = "the log has lost trials that the table of the study holds", history.path
        fix = "restore the log from a backup; or move the tables away, to begin again after the last trial of the log"
        raise StudyError(
            message, where=where, expected=f"{count} trials, as in {TRIALS}", found=f"{trials} trials", fix=fix
        )


def cells_of_sessions(history: History) -> list[dict[str, Any]]:
    """Return the values that all rows of a session share, by session: versions, task names and accounting."""
    texts = [json.dumps({"dse": session["versions"]["dse"], **session["plugins"]}) for session in history.sessions]
    return [
        {"versions": text, "tasks": tasks, "accounting": accounting_of(session)}
        for text, tasks, session in zip(texts, history.tasks, history.sessions, strict=True)
    ]


def collect_rows(history: History) -> Rows:
    """Return the rows of a log's finished trials."""
    cells = cells_of_sessions(history)
    rows = ({**trial.done["row"], **cells[trial.session]} for trial in history.finished if trial.done)
    return Rows(merge_columns(history.columns, IDENTITY), rows)  # a log of an older version declares fewer columns


def write_results(folder: Path, history: History, rows: Rows | None = None) -> tuple[Path, Path]:
    """Write the tables and provenance of a log that has been read.

    Args:
        folder: folder of the study.
        history: sessions of the log, and its finished trials unless ``rows`` has them.
        rows: rows of the finished trials.

    Raises:
        StudyError: the log knows fewer trials than the tables, or the disk refuses a file.
    """
    rows = rows or collect_rows(history)
    check_tables(folder, history, len(rows.table()))
    last = history.sessions[-1]
    if any(session["objectives"] != last["objectives"] for session in history.sessions):
        own = [item for item in read_objectives(last["objectives"]) if item.expression]
        empty = dict.fromkeys(item.column for item in own)
        made = ({**row, **empty, **evaluate_objectives(row, own)[0]} for row in rows.table().to_pylist())
        rows = Rows(rows.columns, made)
    write_text_whole(folder / PROVENANCE, provenance_text(history))
    return write_tables(
        folder, rows, study=last["study"], objectives=last["objectives"], reference_point=last["reference_point"]
    )


def provenance_text(history: History) -> str:
    """Return the content of the file of provenance."""
    names = ("at_trial", "time", "seed", "space_hash", "versions", "plugins", "digests", "machine", "notes")
    last = history.sessions[-1]
    content = {
        "study": last["study"],
        "objectives": last["objectives"],
        "reference_point": last["reference_point"],
        "sessions": [
            {name: session[name] for name in names} | {"accounting": accounting_of(session)}
            for session in history.sessions
        ],
    }
    return json.dumps(content, indent=2) + "\n"
