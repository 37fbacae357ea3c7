"""Logs that were emptied, edited or replaced, litter in a study's folder, and values that no table holds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dse.errors import SpaceError, StudyError
from dse.files import sweep
from dse.records.design import DesignPoint, PluginParameter
from dse.records.parameters import Float, Int
from dse.space.file import load, parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from dse.study.log.file import read_events
from dse.study.log.history import read_history
from dse.study.tables import refresh
from tests.support.fakes import FakeProblem
from tests.support.studies import go


def events_of(folder: Path) -> list[dict[str, Any]]:
    return read_events(folder / "log.jsonl")[0]


def write_log(folder: Path, events: list[dict[str, Any]]) -> None:
    (folder / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.mark.parametrize("remaining", ["deleted", "emptied", "cut"])
def test_a_log_that_lost_trials_is_told_and_the_tables_stay(tmp_path: Path, remaining: str) -> None:
    """Expected: one message that names the log with both counts, and every file as it was."""
    folder = tmp_path / "mine"
    go(folder, trials=5)
    log, events = folder / "log.jsonl", events_of(folder)
    if remaining == "deleted":
        log.unlink()
    else:
        write_log(folder, events[:5] if remaining == "cut" else [])
    count = 2 if remaining == "cut" else 0
    before = {name: (folder / name).read_bytes() for name in ("trials.parquet", "pareto.parquet", "space.toml")}
    with pytest.raises(StudyError, match="the log has lost trials that the table of the study holds") as caught:
        go(folder, trials=6)
    assert f"where: {log}\n  expected: 5 trials, as in trials.parquet\n  found: {count} trials\n" in str(caught.value)
    assert {name: (folder / name).read_bytes() for name in before} == before
    for name in ("trials.parquet", "pareto.parquet"):
        (folder / name).unlink()
    go(folder, trials=5)
    assert pq.read_metadata(folder / "trials.parquet").num_rows >= 5


def test_tables_are_not_written_again_from_a_log_that_lost_trials(tmp_path: Path) -> None:
    go(tmp_path, trials=4)
    write_log(tmp_path, events_of(tmp_path)[:3])
    before = (tmp_path / "trials.parquet").read_bytes()
    with pytest.raises(StudyError, match="the log has lost trials"):
        refresh(tmp_path)
    assert (tmp_path / "trials.parquet").read_bytes() == before


def edit_parameter(row: dict[str, Any]) -> str:
    name = next(name for name in row if name.startswith("param."))
    row[name] = row[name] + 1 if not isinstance(row[name], list) else [item + 1 for item in row[name]]
    return name


def edit_area(row: dict[str, Any]) -> str:
    row["area_mm2"] = 0.001
    return "area_mm2"


@pytest.mark.parametrize("edit", [edit_parameter, edit_area])
def test_a_row_that_disagrees_with_what_was_asked_is_damage(
    tmp_path: Path, edit: Callable[[dict[str, Any]], str]
) -> None:
    """Expected: the line of the row, and the column that was edited; every file stays as it was."""
    go(tmp_path, trials=4)
    events = events_of(tmp_path)
    at = next(number for number, event in enumerate(events) if event["event"] == "done")
    column = edit(events[at]["row"])
    write_log(tmp_path, events)
    before = read_files(tmp_path)
    for _ in range(2):
        with pytest.raises(StudyError, match=rf"line {at + 1} of the log is damaged") as caught:
            go(tmp_path, trials=5)
        assert column in str(caught.value)
    assert read_files(tmp_path) == before


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_log_that_is_no_file_is_told(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "log.jsonl")
    with pytest.raises(StudyError, match="the log is not a file") as caught:
        go(tmp_path, trials=2)
    assert "do: move it away" in str(caught.value)


def test_a_folder_in_the_place_of_a_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "trials.parquet").mkdir()
    with pytest.raises(StudyError, match="a table of the study is not a file") as caught:
        go(tmp_path, trials=2)
    assert f"where: {tmp_path / 'trials.parquet'}" in str(caught.value)


def test_litter_that_is_not_ours_stays(tmp_path: Path) -> None:
    folder, others = tmp_path / ".trials.parquet.a.99999999.tmp", [".a.²³.tmp", f".a.{'9' * 30}.tmp", ".a.b.tmp"]
    folder.mkdir()
    for name in others:
        (tmp_path / name).touch()
    dead = tmp_path / ".trials.parquet.a.99999998.tmp"
    dead.touch()
    sweep(tmp_path)
    assert folder.is_dir()
    assert sorted(path.name for path in tmp_path.glob("*.tmp")) == sorted([folder.name, *others])


def test_a_disk_that_refuses_the_cache_stops_the_study(tmp_path: Path) -> None:
    """Expected: the study stops with the disk's message; the design is evaluated first when it continues."""

    def refuse(_: DesignPoint) -> None:
        raise StudyError("a file could not be written: No space left on device")

    with pytest.raises(StudyError, match="No space left on device"):
        go(tmp_path, problem=FakeProblem(score_fault=refuse))
    history = read_history(events_of(tmp_path), tmp_path / "log.jsonl")
    assert history.finished == ()
    assert history.in_flight is not None


TEXT = 'schema = 1\nname = "s"\n[workload]\nbase = "b"\ntasks = ["t"]\n[search]\n{}\n'
KINDS = "".join(f'[{kind}]\nplugins = ["p"]\n' for kind in ("generator", "compressor", "scheduler", "hardware"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("seed = 4294967296", "search.seed"),
        ("seed = " + "9" * 400, "search.seed"),
        ("seed = " + "9" * 5000, "the space file is not TOML"),
        ("seed = 1e400", "search.seed"),
        ("time_limit_s = 1e300", "search.time_limit_s"),
        ("sampler_options = {a = " + "[" * 2000 + "]" * 2000 + "}", "the space file is not TOML: it nests too deeply"),
    ],
)
def test_numbers_that_no_log_holds_are_refused_with_their_key(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(TEXT.format(line) + KINDS, encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_space_file_that_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "space.toml")
    with pytest.raises(SpaceError, match="the space file cannot be read: it is not a regular file"):
        load(tmp_path / "space.toml")


@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        (Int(name="a", low=0, high=10**30, default=0), {}, "no table can hold these numbers"),
        (
            Int(name="a", low=-(10**30), high=0, default=0),
            {"low": -(10**20)},
            "no table can hold these numbers",
        ),
        (Float(name="a", low=0.0, high=1.0, default=0.0), {"step": 1e-300}, "the step is too small"),
    ],
)
def test_values_that_no_table_holds_are_refused_before_the_study(
    declared: Int | Float, given: dict[str, float], said: str
) -> None:
    parameters = (PluginParameter("hardware", "p", declared),)

    def resolve_with(table: dict[str, float]) -> SearchSpace:
        raw = {kind: {"plugins": ["p"]} for kind in ("generator", "compressor", "scheduler")}
        hardware = {"plugins": ["p"], "p": {"parameters": {"a": table}}}
        top = {"schema": 1, "name": "s", "workload": {"base": "b", "tasks": ["t"]}}
        return resolve(parse({**top, **raw, "hardware": hardware}), parameters, ("t",), 1)

    with pytest.raises(SpaceError, match=said) as caught:
        resolve_with(given)
    assert "hardware.p.parameters.a" in str(caught.value)
    assert resolve_with({"value": 0}).size == 1


def test_a_table_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dse

    go(tmp_path / "mine", trials=2)
    monkeypatch.setattr(os, "access", lambda *_: False)
    (tmp_path / "mine" / "trials.parquet").unlink()
    with pytest.raises(StudyError, match="the study cannot be read: permission denied"):
        dse.pareto(tmp_path / "mine")


def test_a_name_that_is_too_long_is_no_study(tmp_path: Path) -> None:
    import dse

    with pytest.raises(StudyError, match="there is no study here"):
        dse.pareto("x" * 5000, results=tmp_path)
