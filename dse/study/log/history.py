"""Content of a log: its sessions, its finished trials, and the trial in flight when the last session ended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from dse.errors import StudyError
from dse.records.design import DesignPoint
from dse.records.plugin import KINDS
from dse.results.columns import Column, merge_columns, task_names
from dse.results.objectives import read_objectives
from dse.results.points import PREFIX, to_tuples
from dse.results.status import Status
from dse.study.log.events import check_done, check_keys, column_types, misplaced_event_error
from dse.study.log.file import damaged_event_error
from dse.study.log.generation import SamplerState, unpack

LOG_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of the log.

    Attributes:
        number: number of the trial, counted from 0.
        session: index of the session that asked for the trial.
        digest: digest of the space in which the trial was asked.
        asked: event that proposed the trial.
        line: line of that event in the log.
        done: event that finished the trial, None while in flight.
        done_line: line of that event in the log.
    """

    number: int
    session: int
    digest: str
    asked: Mapping[str, Any]
    line: int
    done: Mapping[str, Any] | None = None
    done_line: int = 0


Learnt: TypeAlias = tuple[int, Mapping[str, Any]]
"""Number of a trial whose result a sampler learned, and the sampler's notes on the design."""


@dataclass(frozen=True, slots=True)
class History:
    """Content of a log.

    Attributes:
        sessions: the header, and one event for each time the study was resumed.
        finished: finished trials, in order.
        in_flight: trial that was asked and never finished.
        study_attributes: samplers' notes on the study.
        path: path of the log.
        learnt: what the sampler learned, in order; a known design that it proposed again stands here again.
        sampler_state: state of the sampler behind the last generation; None in a study without generations.
    """

    sessions: tuple[Mapping[str, Any], ...] = ()
    finished: tuple[Trial, ...] = ()
    in_flight: Trial | None = None
    study_attributes: Mapping[str, Any] = field(default_factory=dict)
    path: Path = Path()
    learnt: Sequence[Learnt] = ()
    sampler_state: SamplerState | None = None

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """Result rows of all finished trials."""
        return [trial.done["row"] for trial in self.finished if trial.done is not None]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of all sessions."""
        return merge_columns(*([Column(*item) for item in session["columns"]] for session in self.sessions))

    @property
    def tasks(self) -> list[list[str]]:
        """Task names of each session, in order."""
        return [task_names(item[0] for item in session["columns"]) for session in self.sessions]


def _check_version(path: Path, line: int, event: Mapping[str, Any]) -> None:
    """Refuse a log that does not begin with its header, or has another version."""
    name = event["event"]
    if (name == "header") != (line == 1):
        raise misplaced_event_error(path, line, "the header first, once", name)
    if name == "header" and event.get("schema") != LOG_SCHEMA:
        raise StudyError(
            "the log has another version",
            where=path,
            expected=f"schema {LOG_SCHEMA}",
            found=f"schema {event.get('schema')!r:.40}",
            fix="continue the study with the version of dse that began it, or give the new study another name",
        )


def read_history(events: list[dict[str, Any]], path: Path, *, checked: int = 0) -> History:
    """Check the order of a log's events and sort them.

    Args:
        events: events of the log.
        path: path of the log.
        checked: number of first events that were read before, so that their content needs no check.

    Raises:
        StudyError: an event is damaged or does not follow from those before it, or the log has another version.
    """
    sessions: list[Mapping[str, Any]] = []
    finished: list[Trial] = []
    attributes: dict[str, Any] = {}
    open_trial: Trial | None = None
    types: dict[str, str] = {}
    learnt: list[Learnt] = []
    sampler_state: SamplerState | None = None
    for line, event in enumerate(events, start=1):
        name = event["event"]
        _check_version(path, line, event)
        check_keys(path, line, event)
        if name in ("header", "resumed"):
            sessions.append(event)
            types = column_types(path, line, event) | types
        elif name == "prepared":
            last = sessions.pop()
            digests, notes = {**last["digests"], **event["digests"]}, [*last["notes"], *event["notes"]]
            stale = last.get("stale") or event.get("stale")
            sessions.append({**last, "digests": digests, "notes": notes, "stale": stale})
        elif name == "asked":
            if open_trial is not None or event["trial"] != len(finished):
                expected = f"trial {len(finished)} after the one before is done"
                raise misplaced_event_error(path, line, expected, event["trial"])
            open_trial = Trial(event["trial"], len(sessions) - 1, sessions[-1]["space_hash"], event, line)
            attributes.update(event["study_attributes"])
        elif name == "done":
            if open_trial is None or event["trial"] != open_trial.number:
                raise misplaced_event_error(path, line, "a trial that was asked", event["trial"])
            if line > checked:
                check_done(path, line, event, open_trial.asked, sessions[-1], types)
            finished.append(replace(open_trial, done=event, done_line=line))
            learnt.append((open_trial.number, open_trial.asked["attributes"]))
            open_trial = None
        elif name == "generation":
            if open_trial is not None or event["trial"] != len(finished):
                raise misplaced_event_error(path, line, f"trial {len(finished)} next", event["trial"])
            trial = Trial(len(finished), len(sessions) - 1, sessions[-1]["space_hash"], event, line, None, line)
            finished += _expand(path, trial, sessions[-1], types if line > checked else None)
            attributes.update(event["study_attributes"])
            learnt += [(number, event["attributes"]) for number in event["learnt"]]
            sampler_state = SamplerState(*(event[key] for key in SamplerState._fields))
        else:
            raise misplaced_event_error(path, line, "header, resumed, prepared, asked, done or generation", name)
    return History(tuple(sessions), _mark_all(finished, sessions), open_trial, attributes, path, learnt, sampler_state)


def _expand(path: Path, first: Trial, session: Mapping[str, Any], types: Mapping[str, str] | None) -> Iterator[Trial]:
    """Yield the trials of a generation, which is the event of ``first``, and check them if the columns' types are given."""
    for place, (asked, done) in enumerate(
        unpack(path, first.line, first.asked, read_objectives(session["objectives"]))
    ):
        if types is not None:
            check_done(path, first.line, done, asked, session, types)
        yield replace(first, number=first.number + place, asked=asked, done=done)


def _mark_all(finished: Sequence[Trial], sessions: Sequence[Mapping[str, Any]]) -> tuple[Trial, ...]:
    """Return the trials, those marked whose results a later session made stale."""
    valid = max((session["at_trial"] for session in sessions if session.get("stale")), default=0)
    return tuple(_mark_stale(trial) if trial.number < valid else trial for trial in finished)


def _mark_stale(trial: Trial) -> Trial:
    """Return a trial whose result was made under conditions that have changed since."""
    done = trial.done or {}
    if not Status(done["row"]["status"]).has_cost:
        return trial
    return replace(trial, done={**done, "row": {**done["row"], "status": Status.STALE.value}})


def check_row(path: Path, trial: Trial, row: Mapping[str, Any], point: DesignPoint) -> None:
    """Refuse a row whose parameters differ from those asked for.

    Raises:
        StudyError: a parameter differs.
    """
    written = {name: to_tuples(row.get(PREFIX + name)) for name in point.values}
    if any(row[kind] != point.plugin(kind) for kind in KINDS):
        written = dict.fromkeys(written)
    if set(written.values()) == {None} and row["status"] == Status.FAILED:
        return  # a session with another space closed it
    for name, value in point.values.items():
        if written[name] != value:
            expected = f"the row of the design asked, with {PREFIX}{name} {value}"
            raise damaged_event_error(path, trial.done_line, expected, written[name])
