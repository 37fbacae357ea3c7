"""The event of a generation: designs that were costed at once, column by column, since a line for each would repeat the names."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dse.results.objectives import Objective
from dse.results.status import Status
from dse.study.log.file import damaged_event_error

Event = dict[str, Any]


class Member(NamedTuple):
    """A new design of a generation.

    Attributes:
        params: flat parameters of the design.
        row: the design's row.
        constraints: excess of each constraint by name.
    """

    params: Mapping[str, Any]
    row: Mapping[str, Any]
    constraints: Mapping[str, float]


class SamplerState(NamedTuple):
    """The state of a sampler behind a generation.

    Attributes:
        learnt: numbers of trials whose results the sampler learned, in order; a known design stands here again.
        attributes: the sampler's notes on these designs.
        study_attributes: the sampler's new notes on the study.
        asked: number of designs that the sampler has proposed.
        patience: known designs in a row, and random designs that have not helped, see `dse.study.progress.Patience`.
        refused: number of proposals that broke a limit of the hardware.
    """

    learnt: Sequence[int]
    attributes: Mapping[str, Any]
    study_attributes: Mapping[str, Any]
    asked: int
    patience: Sequence[int]
    refused: int


def pack(first: int, members: Sequence[Member], state: SamplerState) -> Event:
    """Return the event of a generation whose first new design has the number ``first``."""
    return {
        "event": "generation",
        "trial": first,
        "count": len(members),
        **state._asdict(),
        **{name: _to_columns([getattr(one, name) for one in members]) for name in Member._fields},
    }


def unpack(
    path: Path, line: int, event: Mapping[str, Any], objectives: Sequence[Objective]
) -> Iterator[tuple[Event, Event]]:
    """Yield the two events that each design of a generation stands for: that it was asked, and that it is done.

    Raises:
        StudyError: the columns do not have a value for each design.
    """
    count = event["count"]
    parts = [_to_rows(path, line, event[name], count) for name in Member._fields]
    for place, (params, row, constraints) in enumerate(zip(*parts, strict=True)):
        number = event["trial"] + place
        trial = {"trial": number, "source": row.get("source"), "seed": row.get("seed")}
        asked = {"event": "asked", **trial, "params": params, "attributes": event["attributes"], "study_attributes": {}}
        values = [row.get(item.column) for item in objectives]
        complete = None not in values and row.get("status") in (Status.DONE, Status.INFEASIBLE)
        done = {"event": "done", "trial": number, "row": {"trial": number, **row}, "constraints": constraints}
        yield asked, {**done, "values": values if complete else None}


def _to_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows by column: ``all`` has a value that all rows share, ``each`` a value per row, null where a row has none."""
    names = dict.fromkeys(name for row in rows for name in row if name != "trial")
    columns = {name: [row.get(name) for row in rows] for name in names}
    shared = {name for name, values in columns.items() if all(value == values[0] for value in values)}
    return {
        "all": {name: columns[name][0] for name in names if name in shared},
        "each": {name: columns[name] for name in names if name not in shared},
    }


def _to_rows(path: Path, line: int, columns: Any, count: int) -> list[Event]:
    shared, each = columns.get("all"), columns.get("each")
    if not isinstance(shared, dict) or not isinstance(each, dict):
        raise damaged_event_error(path, line, "columns with `all` and `each`", columns)
    for name, values in each.items():
        if not isinstance(values, list) or len(values) != count:
            raise damaged_event_error(path, line, f"{count} values of {name}", values)
    names = tuple(each)
    rows = zip(*each.values(), strict=True) if each else [()] * count
    present = {name: value for name, value in shared.items() if value is not None}
    return [
        present | {name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows
    ]
