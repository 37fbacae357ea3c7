"""Open a study's folder: one run at a time, one log, and no silent change between sessions."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.files import make_folder, sweep
from dse.results.columns import study_columns
from dse.results.files import LOCK, LOG
from dse.results.objectives import expression_columns
from dse.samplers.encoding import Codec
from dse.space.searchspace import SearchSpace
from dse.study.log.file import damaged_event_error, read_events
from dse.study.log.history import LOG_SCHEMA, History, read_history
from dse.study.provenance import ACCOUNTING, Provenance, accounting_of, machine, own_version, versions

ALWAYS = re.compile(r"base$|task\.|data\.")
"""Beginnings of the names of content that every session records; other content is compared if both sessions know it."""
SAME_ROWS = (
    "; if the files of a task are the same and its rows are not, the study was begun when texts with the same words counted "
    'as duplicates: write same_text = "words" into the data of the task to read the same rows again'
)
"""Advice where rows differ: space files that release 0.1.0 resolved do not say which texts are the same."""
MOVES_DIGITS = (("versions", "torch"), ("machine", "threads"))
"""Facts of a session that may change the last digits of weights and scores."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a study's folder.

    Raises:
        StudyError: another run holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(make_folder(folder) / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StudyError(
            "another run works on this study", where=folder, fix="wait for it to end, or give your study another name"
        ) from error
    except OSError as error:
        raise StudyError(
            f"the study's folder cannot be written: {error.strerror or error}",
            where=error.filename or folder,
            fix="make the folder writable, or name another folder with --results",
        ) from error
    sweep(folder)
    try:
        yield
    finally:
        lock.release()


def session_event(
    space: SearchSpace, provenance: Provenance, components: Iterable[str], history: History, notes: Iterable[str]
) -> dict[str, Any]:
    """Return the event that opens a session: ``header`` in a new log, ``resumed`` in an existing one.

    Raises:
        StudyError: the log has a trial that was asked in this very space, but lies outside it.
    """
    check_asked(space, history)
    search, objectives = space.file.search, space.file.objectives
    declared = [item.declared for item in space.parameters]
    columns = study_columns(declared, space.tasks, components, expression_columns(objectives))
    return {
        "event": "resumed" if history.sessions else "header",
        "schema": LOG_SCHEMA,
        "study": space.file.name,
        "at_trial": len(history.finished),
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "space_hash": space.digest,
        "seed": search.seed,
        "objectives": [item.definition for item in objectives],
        "reference_point": space.file.reference_point,
        "accounting": ACCOUNTING,
        "versions": versions(),
        "plugins": dict(provenance.plugins),
        "digests": dict(provenance.digests),
        "machine": machine(),
        "columns": [[column.name, column.type, column.summary, column.scope] for column in columns],
        "notes": list(notes),
    }


def check_asked(space: SearchSpace, history: History) -> None:
    """Refuse a log with a trial that was asked in this very space, but lies outside it.

    Raises:
        StudyError: the log has such a trial.
    """
    codec = Codec(space)
    trials = [*history.finished, *([history.in_flight] if history.in_flight else [])]
    for trial in trials:
        if trial.digest == space.digest and (reason := codec.refusal(trial.asked["params"])):
            raise damaged_event_error(history.path, trial.line, "parameters of a design of this space", reason)


def check_edition(folder: Path, history: History) -> None:
    """Refuse to continue a study of another edition of the accounting: a study holds one.

    Raises:
        StudyError: the study was begun under another edition.
    """
    for session in history.sessions:
        if accounting_of(session) != ACCOUNTING:
            raise StudyError(
                "this study was begun under another edition of the accounting, so its old and new costs would not be comparable",
                where=folder,
                expected=f"edition {ACCOUNTING}",
                found=f"edition {accounting_of(session)}",
                fix="give the new study another name, and begin it with the designs of this one: "
                f"dse run SPACE --start {folder}. This study can still be read, plotted and validated",
            )


def check_unchanged(folder: Path, history: History, event: dict[str, Any], *, force: bool) -> list[str]:
    """Compare a new session with the sessions before; mark it if it makes their results stale; return notes for the log.

    Raises:
        StudyError: something changed that makes old and new trials incomparable, and ``force`` is not set.
    """
    if not history.sessions:
        return []
    last = history.sessions[-1]
    changes = [*_changes("plugin", last["plugins"], event["plugins"], own_version), *_data_changes(history, event)]
    if changes:
        event["stale"] = True
    if last["space_hash"] != event["space_hash"]:
        changes.append(f"space or search settings: {last['space_hash'][:8]} -> {event['space_hash'][:8]}")
    return [*_refuse(folder, changes, force=force), *_machine_notes(last, event)]


def prepared_event(folder: Path, history: History, digests: Mapping[str, str], *, force: bool) -> dict[str, Any] | None:
    """Return the event that records what preparing the problem has brought to light; None if that is nothing new.

    Args:
        folder: folder of the study.
        history: log up to here, this session included.
        digests: all content hashes that are available now.
        force: whether to continue even if content has changed.

    Raises:
        StudyError: weights or files are not those of the sessions before, and ``force`` is not set.
    """
    new = {name: value for name, value in digests.items() if history.sessions[-1]["digests"].get(name) != value}
    event = {"event": "prepared", "digests": new}
    changes = _data_changes(history, event)
    return event | {"notes": _refuse(folder, changes, force=force), "stale": bool(changes)} if new else None


def check_content(folder: Path, digests: Mapping[str, str]) -> None:
    """Refuse models and data that are not those that a study recorded; a study without a log passes.

    Raises:
        StudyError: a content hash differs.
    """
    events, _ = read_events(folder / LOG)
    event = {"event": "prepared", "digests": digests}
    if changes := _data_changes(read_history(events, folder / LOG), event) if events else []:
        reason = "models or data have changed since the study ran"
        fix = "export it with the study's cache and data; or run the study again with --force"
        raise StudyError(reason, where=folder, found="; ".join(changes), fix=fix)


def _data_changes(history: History, event: Mapping[str, Any]) -> list[str]:
    """Describe the content that differs from what the sessions before recorded, each of them what it knew."""
    old: dict[str, str] = {}
    for session in history.sessions:
        old |= _hashes(session)
    new = _hashes(event)
    both = {name for name in old if name in new}
    if event["event"] == "resumed":  # a session that was not prepared lacks weights and files, one of an old dse more
        both |= {name for name in {*old, *new} if ALWAYS.match(name)}
    before, now = ({name: side[name] for name in both if name in side} for side in (old, new))
    return _changes("data", before, now)


def _refuse(folder: Path, changes: list[str], *, force: bool) -> list[str]:
    """Return a note for each change, or raise an error that names them all."""
    if changes and not force:
        raise StudyError(
            "this study was begun under other conditions, so its old and new trials would not be comparable",
            where=folder,
            expected="the same plugins, data and space (only the budget may change)",
            found="; ".join(changes),
            fix="give the new study another name, or force it to continue: the change is then recorded"
            + (SAME_ROWS if any(change.startswith("data data.") for change in changes) else ""),
        )
    return [f"continued although this changed: {change}" for change in changes]


def _machine_notes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Describe what may move the last digits of scores, as far as both sessions recorded it."""
    pairs = [(name, old[part].get(name), new[part].get(name)) for part, name in MOVES_DIGITS]
    return [
        f"{name}: {before} -> {now}, so the last digits of scores may differ"
        for name, before, now in pairs
        if None not in (before, now) and before != now
    ]


def _changes(
    subject: str, old: Mapping[str, str], new: Mapping[str, str], counts: Callable[[str], str] = str
) -> list[str]:
    """Describe each entry that differs; ``counts`` gives the part of it that matters."""
    return [
        f"{subject} {name}: {old.get(name, '(absent)')} -> {new.get(name, '(absent)')}"
        for name in sorted({*old, *new})
        if name not in old or name not in new or counts(old[name]) != counts(new[name])
    ]


def _hashes(session: Mapping[str, Any]) -> dict[str, str]:
    """Return the content hashes of a session; commits of the hub do not count, since many hold the same content."""
    return {name: value for name, value in session["digests"].items() if not name.startswith("revision.")}
