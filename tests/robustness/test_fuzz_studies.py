"""Damaged logs and tables of a study give a result or one clear message."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dse
from dse.results.read import read_provenance, read_trials, show
from dse.study.log.file import read_events
from dse.study.log.history import read_history
from dse.study.provenance import Provenance
from dse.study.run import run
from dse.study.tables import refresh
from tests.support.fakes import FakeProblem, fake_space
from tests.support.fuzzing import FUZZ, readable


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound study."""
    folder = tmp_path_factory.mktemp("sound")
    run(FakeProblem(), fake_space(sampler="random", trials=5), folder=folder, provenance=Provenance())
    return folder


def continued(folder: Path) -> None:
    run(FakeProblem(), fake_space(sampler="random", trials=5), folder=folder, provenance=Provenance())


def opened(folder: Path) -> None:
    events, _ = read_events(folder / "log.jsonl")
    read_history(events, folder / "log.jsonl")


@FUZZ
@given(data=st.data())
def test_a_log_with_changed_bytes_is_read_or_refused(tmp_path: Path, sound: Path, data: st.DataObject) -> None:
    content = bytearray((sound / "log.jsonl").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=3))
    (tmp_path / "log.jsonl").write_bytes(bytes(content))
    readable(lambda: opened(tmp_path))


@FUZZ
@given(data=st.data())
def test_a_log_with_changed_lines_is_read_or_refused(tmp_path: Path, sound: Path, data: st.DataObject) -> None:
    lines = (sound / "log.jsonl").read_bytes().splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "double", "cut", "key"]))
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        else:
            lines[at] = without_a_key(lines[at], data)
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / "log.jsonl").write_bytes(b"".join(lines))
    readable(lambda: opened(tmp_path))
    readable(lambda: refresh(tmp_path))
    readable(lambda: continued(tmp_path))


def without_a_key(line: bytes, data: st.DataObject) -> bytes:
    """Drop or change one key of an event."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    name = data.draw(st.sampled_from(sorted(event)))
    if data.draw(st.booleans()):
        del event[name]
    else:
        event[name] = data.draw(st.sampled_from([None, [], {}, -1, "x", 1e300, [None], {"x": None}]))
    return json.dumps(event).encode() + b"\n"


READERS: tuple[Callable[[Path], object], ...] = (
    read_trials,
    read_provenance,
    dse.pareto,
    lambda folder: show(folder, 0),
)


@FUZZ
@given(data=st.data())
def test_damaged_tables_are_read_or_refused(tmp_path: Path, sound: Path, data: st.DataObject) -> None:
    for name in ("trials.parquet", "pareto.parquet", "provenance.json"):
        content = (sound / name).read_bytes()
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, len(content)))
        (tmp_path / name).write_bytes(content[:start] + data.draw(st.binary(max_size=4)) + content[end:])
    for reader in READERS:
        readable(partial(reader, tmp_path))
