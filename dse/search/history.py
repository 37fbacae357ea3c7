"""What a log says: its sessions, its finished trials, and the one that was in flight when the last session ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dse.errors import StudyError
from dse.records.plugin import KINDS
from dse.results.columns import Column, merged

LOG_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of the log.

    Attributes:
        number: counted from 0.
        session: index of the session that asked it.
        digest: of the space it was asked in.
        asked: the event that proposed it.
        done: the event that finished it, None while in flight.
    """

    number: int
    session: int
    digest: str
    asked: Mapping[str, Any]
    done: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A log, read.

    Attributes:
        sessions: the header and one event for each time the study was resumed.
        finished: trials in order.
        in_flight: the trial that was asked and never finished.
    """

    sessions: tuple[Mapping[str, Any], ...] = ()
    finished: tuple[Trial, ...] = ()
    in_flight: Trial | None = None
    study_attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """Result rows of all finished trials."""
        return [trial.done["row"] for trial in self.finished if trial.done is not None]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of all sessions."""
        return merged(*([Column(*item) for item in session["columns"]] for session in self.sessions))


def read_history(events: list[dict[str, Any]], path: Path) -> History:
    """Check the order of a log's events and sort them.

    Raises:
        StudyError: an event does not follow from those before it, or the log is of another version.
    """
    sessions: list[Mapping[str, Any]] = []
    finished: list[Trial] = []
    attributes: dict[str, Any] = {}
    open_trial: Trial | None = None
    types: dict[str, str] = {}
    for line, event in enumerate(events, start=1):
        name = event["event"]
        _check_keys(path, line, event)
        if (name == "header") != (line == 1):
            raise _misplaced(path, line, "the header first, once", name)
        if name == "header" and event.get("schema") != LOG_SCHEMA:
            raise StudyError(
                "the log is of another version", where=path, expected=LOG_SCHEMA, found=event.get("schema")
            )
        if name in ("header", "resumed"):
            sessions.append(event)
            types |= _types(path, line, event)
        elif name == "asked":
            if open_trial is not None or event.get("trial") != len(finished):
                raise _misplaced(path, line, f"trial {len(finished)} after the one before is done", event.get("trial"))
            open_trial = Trial(event["trial"], len(sessions) - 1, sessions[-1]["space_hash"], event)
            attributes.update(event["study_attributes"])
        elif name == "done":
            if open_trial is None or event.get("trial") != open_trial.number:
                raise _misplaced(path, line, "a trial that was asked", event.get("trial"))
            _check_row(path, line, event["row"], types)
            finished.append(replace(open_trial, done=event))
            open_trial = None
        else:
            raise _misplaced(path, line, "header, resumed, asked or done", name)
    return History(tuple(sessions), tuple(finished), open_trial, attributes)


_KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "header": {"space_hash": str, "versions": dict, "plugins": dict, "digests": dict, "columns": list, "study": str},
    "asked": {"trial": int, "source": str, "seed": int, "params": dict, "attributes": dict, "study_attributes": dict},
    "done": {"trial": int, "row": dict, "values": (list, type(None)), "constraints": dict},
}
_KEYS["resumed"] = _KEYS["header"]


def _check_keys(path: Path, line: int, event: dict[str, Any]) -> None:
    """Refuse an event that lacks what later code reads."""
    for key, kind in _KEYS.get(str(event["event"]), {}).items():
        if not isinstance(event.get(key), kind):
            raise _misplaced(path, line, f"{event['event']} with {key}", f"{key} = {event.get(key)!r:.60}")
    if event["event"] == "done":
        row, values = event["row"], event["values"] or []
        if row.get("trial") != event["trial"] or not isinstance(row.get("status"), str):
            raise _misplaced(path, line, "a row with trial and status", f"{row!r:.60}")
        if not all(isinstance(value, int | float) for value in (*values, *event["constraints"].values())):
            raise _misplaced(path, line, "values and constraints that are numbers", f"{event['values']!r:.60}")


def _types(path: Path, line: int, event: dict[str, Any]) -> dict[str, str]:
    """Type of each column a session declares."""
    types = {}
    for item in event["columns"]:
        if not isinstance(item, list) or len(item) != 3 or not all(isinstance(part, str) for part in item):
            raise _misplaced(path, line, "columns with name, type and summary", f"{item!r:.60}")
        types[item[0]] = item[1]
    return types


def _check_row(path: Path, line: int, row: Mapping[str, Any], types: Mapping[str, str]) -> None:
    """Refuse a row that lacks its plugins, or has cells this study has no column for, or of another type."""
    for kind in KINDS:
        if not isinstance(row.get(kind), str):
            raise _misplaced(path, line, f"a row with its {kind}", f"{row.get(kind)!r:.60}")
    for name, value in row.items():
        if name not in types:
            raise _misplaced(path, line, "a row of this study", f"a cell {name!r}, for which it has no column")
        if value is not None and not _fits(value, types[name]):
            raise _misplaced(path, line, f"{name} as {types[name]}", f"{value!r:.60}")


def _fits(value: Any, kind: str) -> bool:
    """Whether a cell is of its column's type."""
    if kind.startswith("list<"):
        return isinstance(value, list | tuple) and all(_fits(item, kind[5:-1]) for item in value)
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, _CELLS.get(kind, object))


_CELLS: dict[str, type | tuple[type, ...]] = {"float64": (int, float), "int64": int, "string": str, "bool": bool}


def _misplaced(path: Path, line: int, expected: str, found: object) -> StudyError:
    return StudyError(
        f"line {line} of the log does not follow from those before it",
        where=f"{path}:{line}",
        expected=expected,
        found=found,
        fix="restore the log from a backup, or cut it before this line to repeat the trials from there on",
    )
