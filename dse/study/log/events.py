"""Checks of the events of a log, made before anything is derived from them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from dse.errors import StudyError
from dse.records.plugin import KINDS
from dse.results.objectives import Objective, read_objectives
from dse.results.status import Status
from dse.study.log.file import CUT, damaged_event_error

Event = Mapping[str, Any]
Fault: TypeAlias = tuple[str, object]
"""What an event should hold, and what it holds instead."""
_SESSION: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("study", "time", "space_hash"), str),
    **dict.fromkeys(("at_trial", "seed"), int),
    **dict.fromkeys(("objectives", "columns", "notes"), list),
    **dict.fromkeys(("reference_point", "versions", "plugins", "digests", "machine"), dict),
}
_KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "header": _SESSION,
    "resumed": _SESSION,
    "prepared": {"digests": dict, "notes": list},
    "asked": {"trial": int, "source": str, "seed": int, "params": dict, "attributes": dict, "study_attributes": dict},
    "done": {"trial": int, "row": dict, "values": (list, type(None)), "constraints": dict},
    "generation": {
        **dict.fromkeys(("trial", "count", "asked", "refused"), int),
        **dict.fromkeys(("learnt", "patience"), list),
        **dict.fromkeys(("attributes", "study_attributes", "params", "row", "constraints"), dict),
    },
}
_OPTIONAL: dict[str, dict[str, type]] = {
    **{key: {"accounting": int, "parallel": int, "stale": bool} for key in ("header", "resumed")},
    "prepared": {"stale": bool},
}
"""Keys that logs of earlier versions lack."""
_SCALARS = ("float64", "int64", "string", "bool")
_LARGEST = {"int64": 2**63 - 1, "float64": 2**53}
"""Largest whole number that a table holds in a column, by its type."""


def misplaced_event_error(path: Path, line: int, expected: str, found: object) -> StudyError:
    """Build the error for an event in a wrong place."""
    message = f"line {line} of the log does not follow from those before it"
    return StudyError(message, where=f"{path}:{line}", expected=expected, found=found, fix=CUT)


def check_keys(path: Path, line: int, event: Event) -> None:
    """Refuse an event without the keys that later code reads.

    Raises:
        StudyError: the event lacks a key, or a value has the wrong type.
    """
    _refuse_first(path, line, _find_wrong_keys(event))


def column_types(path: Path, line: int, session: Event) -> dict[str, str]:
    """Return the type of each column that a session declares.

    Raises:
        StudyError: an entry is not a column.
    """
    types = {}
    for item in session["columns"]:
        # Logs that were begun before columns had a scope have three parts.
        if not isinstance(item, list) or len(item) not in (3, 4) or not all(isinstance(part, str) for part in item):
            raise damaged_event_error(path, line, "columns with name, type, summary and scope", item)
        if not _is_type(item[1]):
            raise damaged_event_error(path, line, f"column {item[0]} of a type that exists", item[1])
        types[item[0]] = item[1]
    return types


def check_done(path: Path, line: int, done: Event, asked: Event, session: Event, types: Mapping[str, str]) -> None:
    """Refuse a result that belongs to another trial or study, or that tables and samplers cannot take.

    Args:
        path: path of the log, for messages.
        line: line of the event in the log, for messages.
        done: event with the result.
        asked: event that proposed the trial.
        session: event that opened the current session.
        types: type of every column of the study.

    Raises:
        StudyError: the result does not fit the trial, the study, the tables or the samplers.
    """
    objectives = read_objectives(session["objectives"])
    _refuse_first(path, line, _find_wrong_cells(done["row"], asked, types))
    _refuse_first(path, line, _find_wrong_values(done, objectives))


def _refuse_first(path: Path, line: int, faults: Iterable[Fault]) -> None:
    """Raise the first fault of an event, if it has one; nothing after it is looked for."""
    for expected, found in faults:
        raise damaged_event_error(path, line, expected, found)


def _find_wrong_keys(event: Event) -> Iterator[Fault]:
    """Yield the faults in the keys of an event, and in the content of one that opens a session."""
    name = str(event["event"])
    present = {key: kind for key, kind in _OPTIONAL.get(name, {}).items() if key in event}
    for key, kind in (_KEYS.get(name, {}) | present).items():
        value = event.get(key)
        if key not in event or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            yield f"{name} with {key}", value
    if name in ("header", "resumed"):
        yield from _find_wrong_facts(event)
    if name == "generation":
        yield from _find_wrong_order(event)


def _find_wrong_facts(session: Event) -> Iterator[Fault]:
    """Yield the faults in the content of an event that opens a session."""
    try:
        read_objectives(session["objectives"])
    except ValueError:
        yield "objectives that are columns or expressions", session["objectives"]
    if not all(_fits(value, "float64") for value in session["reference_point"].values()):
        yield "a reference point of numbers", session["reference_point"]
    for key in ("versions", "plugins", "digests"):
        if not all(isinstance(value, str) for value in session[key].values()):
            yield f"{key} as texts", session[key]
    for row in session.get("profiled", []):
        scores = [value for name, value in row.items() if name.startswith("score")] if isinstance(row, dict) else [None]
        if not all(_fits(value, "float64") for value in scores) or not all(isinstance(row.get(k), str) for k in KINDS):
            yield "designs of a profile, with plugins and scores", row
    edition = session.get("accounting", 1)  # logs that were begun before it was written have none
    if not _fits(edition, "int64"):
        yield "accounting as a whole number", edition
    if "dse" not in session["versions"]:
        yield "versions with that of dse", session["versions"]


def _find_wrong_order(event: Event) -> Iterator[Fault]:
    """Yield the faults in the state of a sampler: it learns each new design once, and known ones any number of times."""
    first, learnt = event["trial"], event["learnt"]
    end = first + event["count"]
    if not all(_fits(number, "int64") and 0 <= number < end for number in learnt):
        yield f"numbers of trials below {end}", learnt
    elif list(dict.fromkeys(number for number in learnt if number >= first)) != list(range(first, end)):
        yield f"trials {first} to {end - 1}, each after the one before", learnt
    if len(event["patience"]) != 2 or not all(_fits(number, "int64") for number in event["patience"]):
        yield "patience as two whole numbers", event["patience"]


def _find_wrong_cells(row: Mapping[str, Any], asked: Event, types: Mapping[str, str]) -> Iterator[Fault]:
    """Yield the faults in a row: it must be that of the trial asked, with cells that the columns can hold."""
    for name in ("trial", "source", "seed"):
        if name not in row or row[name] != asked[name]:
            yield f"the row of the trial asked, with {name} {asked[name]!r}", row.get(name)
    for kind in KINDS:
        if not isinstance(row.get(kind), str) or row[kind] != asked["params"].get(kind, row[kind]):
            yield f"a row with the {kind} asked for", row.get(kind)
    if row.get("status") not in list(Status):
        yield f"a status out of {', '.join(Status)}", row.get("status")
    for name, value in row.items():
        if name not in types:
            yield "a row of this study", f"a cell {name!r}, for which it has no column"
        elif value is not None and not _fits(value, types[name]):
            yield f"{name} as {types[name]}", value


def _find_wrong_values(done: Event, objectives: Sequence[Objective]) -> Iterator[Fault]:
    """Yield the faults in the values for a sampler: a trial with a result has a finite number for each objective."""
    row, values = done["row"], done["values"]
    if not all(_fits(value, "float64") for value in (*(values or ()), *done["constraints"].values())):
        yield "values and constraints that are numbers", [values, done["constraints"]]
    if values is not None and len(values) != len(objectives):
        yield f"a value for each of {', '.join(item.name for item in objectives)}", values
    status = Status(row["status"])
    wrong = values is not None if not status.has_cost else values is None and status is not Status.INFEASIBLE
    if status is not Status.DUPLICATE and wrong:
        yield "values of every trial but a failed one", f"{status}, {values}"
    columns = [item.column for item in objectives]
    for name, value in zip(columns, values or (), strict=False):
        if status.is_final and row.get(name) not in (None, value):
            yield f"a row whose {name} is the value {value} of the trial", row[name]
    wanted = columns if status is Status.DONE else []
    wanted += ["violation"] if status.has_cost else []
    for name in wanted:
        if row.get(name) is None:
            yield f"a row that is {status}, with {name}", "nothing"


def _is_type(kind: str) -> bool:
    while kind.startswith("list<") and kind.endswith(">"):
        kind = kind[5:-1]
    return kind in _SCALARS


def _fits(value: Any, kind: str) -> bool:
    """Return whether a value has its column's type, and a table can hold it."""
    if isinstance(value, float):  # the usual case
        return kind == "float64" and math.isfinite(value)
    if kind.startswith("list<"):
        return isinstance(value, list | tuple) and all(_fits(item, kind[5:-1]) for item in value)
    if isinstance(value, bool) or kind == "bool":
        return isinstance(value, bool) and kind == "bool"
    if isinstance(value, int):
        return kind in _LARGEST and abs(value) <= _LARGEST[kind]
    return isinstance(value, str) and kind == "string"
