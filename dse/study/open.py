"""Open a study's folder: one run at a time, one log, and no silent change between sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.files import sweep
from dse.results.columns import study_columns
from dse.results.files import LOCK
from dse.samplers.encoding import Codec
from dse.space.searchspace import SearchSpace
from dse.study.log.events import damaged_event_error
from dse.study.log.history import LOG_SCHEMA, History
from dse.study.provenance import ACCOUNTING, Provenance, accounting_of, machine, own_version, versions


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold a study's folder.

    Raises:
        StudyError: another run holds it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise StudyError(
            "another run works on this study", where=folder, fix="wait for it to end, or give your study another name"
        ) from error
    except OSError as error:
        raise StudyError(
            f"the study's folder cannot be written: {error.strerror or error}",
            where=folder,
            fix="make it writable, or name another with --results",
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
    search = space.file.search
    declared = [item.declared for item in space.parameters]
    return {
        "event": "resumed" if history.sessions else "header",
        "schema": LOG_SCHEMA,
        "study": space.file.name,
        "at_trial": len(history.finished),
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "space_hash": space.digest,
        "seed": search.seed,
        "objectives": search.objectives,
        "reference_point": search.reference_point,
        "accounting": ACCOUNTING,
        "versions": versions(),
        "plugins": dict(provenance.plugins),
        "digests": dict(provenance.digests),
        "machine": machine(),
        "columns": [list(astuple(column)) for column in study_columns(declared, space.tasks, components)],
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


def check_unchanged(folder: Path, history: History, event: Mapping[str, Any], *, force: bool) -> list[str]:
    """Compare a new session with the last one; return what changed, for the log.

    Raises:
        StudyError: something changed that makes old and new trials incomparable, and ``force`` is not set.
    """
    if not history.sessions:
        return []
    last = history.sessions[-1]
    changes = [
        *_changes("plugin", last["plugins"], event["plugins"], own_version),
        *_changes("data", last["digests"], event["digests"]),
    ]
    if accounting_of(last) != accounting_of(event):
        changes.append(f"accounting of dse: {accounting_of(last)} -> {accounting_of(event)}")
    if last["space_hash"] != event["space_hash"]:
        changes.append(f"space or search settings: {last['space_hash'][:8]} -> {event['space_hash'][:8]}")
    if changes and not force:
        raise StudyError(
            "this study was begun under other conditions, so its old and new trials would not be comparable",
            where=folder,
            expected="the same plugins, data, accounting and space (only the budget may change)",
            found="; ".join(changes),
            fix="give the new study another name, or force it to continue: the change is then recorded",
        )
    return [f"continued although this changed: {change}" for change in changes]


def _changes(
    subject: str, old: Mapping[str, str], new: Mapping[str, str], counts: Callable[[str], str] = str
) -> list[str]:
    """Describe each entry that differs; ``counts`` gives the part of it that matters."""
    return [
        f"{subject} {name}: {old.get(name, '(absent)')} -> {new.get(name, '(absent)')}"
        for name in sorted({*old, *new})
        if name not in old or name not in new or counts(old[name]) != counts(new[name])
    ]
