"""Whatever stands in place of a value of a log, the log is read or its line is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dse.errors import DseError
from dse.study.provenance import Provenance
from dse.study.run import run
from dse.study.tables import refresh
from tests.support.fakes import FakeProblem, fake_space

OTHERS: tuple[Any, ...] = (None, [], {}, -1, 2**70, 1e300, "x", "\ud800", True, [None], {"x": None})
GONE = object()


def study(folder: Path, sampler: str) -> None:
    run(FakeProblem(), fake_space(sampler=sampler, trials=4), folder=folder, provenance=Provenance())


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to every value in an event, to the first three of a list and the first of the columns."""
    if place:
        yield place
    keys = value if isinstance(value, dict) else range(min(len(value), 3)) if isinstance(value, list) else ()
    for key in keys:
        if place != ("columns",) or key == 0:
            yield from places(value[key], (*place, key))


def changed(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for *way, last in places(event):
        for other in (*OTHERS, GONE):
            found: Any = copy.deepcopy(event)
            inner = found
            for key in way:
                inner = inner[key]
            if other is GONE:
                del inner[last]
            else:
                inner[last] = other
            yield found


@pytest.mark.parametrize(
    ("sampler", "at"),
    [("random", 0), ("nsga2", 1), ("random", 2), ("random", -2)],
    ids=["header", "asked", "done", "in flight"],
)
def test_any_value_in_a_log_is_read_or_refused(tmp_path: Path, sampler: str, at: int) -> None:
    study(tmp_path / "sound", sampler)
    lines = (tmp_path / "sound" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    folder = tmp_path / "changed"
    folder.mkdir()
    tried, refusals = 0, []
    for event in changed(json.loads(lines[at])):
        for file in folder.iterdir():
            file.unlink()
        lines[at] = json.dumps(event)
        # An event in flight is the last of its log.
        (folder / "log.jsonl").write_text("\n".join(lines[:-1] if at < 0 else lines) + "\n", encoding="utf-8")
        tried += 1
        try:
            refresh(folder)
            study(folder, sampler)
        except DseError as error:
            refusals.append(str(error))

    assert len(refusals) > tried / 2
    assert all(str(folder) in text for text in refusals)


def test_a_log_from_before_columns_had_a_scope_is_read(tmp_path: Path) -> None:
    study(tmp_path, "random")
    log = tmp_path / "log.jsonl"
    header, *rest = log.read_text(encoding="utf-8").splitlines()
    event = json.loads(header)
    event["columns"] = [column[:3] for column in event["columns"]]
    log.write_text("\n".join([json.dumps(event), *rest]) + "\n", encoding="utf-8")
    before = pq.read_table(tmp_path / "trials.parquet")
    refresh(tmp_path)
    assert pq.read_table(tmp_path / "trials.parquet").equals(before)
    study(tmp_path, "random")
