"""Result files of a study, derived from its log at any time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.files import write_text_whole
from dse.results.columns import IDENTITY, merge_columns
from dse.results.files import LOG, PROVENANCE
from dse.results.writer import write_tables
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


def write_results(folder: Path, history: History) -> tuple[Path, Path]:
    """Write the tables and provenance of a log that has been read."""
    texts = [json.dumps({"dse": session["versions"]["dse"], **session["plugins"]}) for session in history.sessions]
    rows = [
        {**trial.done["row"], "tasks": history.tasks_of(trial), "versions": texts[trial.session]}
        for trial in history.finished
        if trial.done
    ]
    last = history.sessions[-1]
    write_text_whole(folder / PROVENANCE, json.dumps(_provenance(history), indent=2) + "\n")
    return write_tables(
        folder,
        rows,
        merge_columns(history.columns, IDENTITY),  # a log of an older version declares fewer
        study=last["study"],
        objectives=last["objectives"],
        reference_point=last["reference_point"],
    )


def _provenance(history: History) -> dict[str, Any]:
    names = ("at_trial", "time", "seed", "space_hash", "versions", "plugins", "digests", "machine", "notes")
    last = history.sessions[-1]
    return {
        "study": last["study"],
        "objectives": last["objectives"],
        "reference_point": last["reference_point"],
        "sessions": [
            {name: session[name] for name in names} | {"accounting": accounting_of(session)}
            for session in history.sessions
        ],
    }
