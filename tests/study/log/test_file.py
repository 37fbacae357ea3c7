"""The log: what survives a kill, and what is said about damage."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dse.errors import StudyError
from dse.study.log.file import StudyLog, read_events
from dse.study.log.history import read_history
from dse.study.observer import NullObserver
from dse.study.provenance import Provenance
from dse.study.run import run
from tests.support.fakes import FakeProblem, fake_space

ROOT = Path(__file__).resolve().parents[3]
TRIALS = 24
WORKER = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.support.fakes import FakeProblem, fake_space
from dse.study.provenance import Provenance
from dse.study.run import run

folder, sampler, trials, point, left, pause = sys.argv[2:]
left = int(left)

def hook(name):
    global left
    if name == point:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

space = fake_space(sampler=sampler, trials=int(trials), constraints={"latency_us": {"max": 90.0}})
problem = FakeProblem(cost_fault=lambda _point: time.sleep(float(pause)))
run(problem, space, folder=folder, provenance=Provenance(), hook=hook)
"""


def study(folder: Path, **options: Any) -> Any:
    space = fake_space(sampler="random", trials=6)
    return run(FakeProblem(), space, folder=folder, provenance=Provenance(), **options)


def rows(folder: Path) -> list[dict[str, Any]]:
    table = pq.ParquetFile(folder / "trials.parquet").read().to_pylist()
    return [{name: value for name, value in row.items() if name != "duration_s"} for row in table]


def worker(
    folder: Path, sampler: str, *, trials: int = TRIALS, point: str = "", left: int = 0, pause: float = 0.0
) -> subprocess.Popen[bytes]:
    arguments = [str(item) for item in (ROOT, folder, sampler, trials, point, left, pause)]
    return subprocess.Popen([sys.executable, "-c", WORKER, *arguments])


def finished(folder: Path) -> list[int]:
    events, _ = read_events(folder / "log.jsonl")
    return [event["trial"] for event in events if event["event"] == "done"]


POINTS = (
    ("header:writing", 0),
    ("header:written", 0),
    ("asked:writing", 4),
    ("asked:written", 5),
    ("done:writing", 6),
    ("done:written", 7),
    ("results:writing", 0),
)


@pytest.mark.parametrize("sampler", ["random", "nsga2", "tpe"])
def test_a_kill_at_any_step_loses_and_doubles_nothing(tmp_path: Path, sampler: str) -> None:
    assert worker(tmp_path / "whole", sampler).wait() == 0
    for point, left in POINTS:
        before = finished(tmp_path / "killed")
        assert worker(tmp_path / "killed", sampler, point=point, left=left).wait() in (-signal.SIGKILL, 0)
        assert finished(tmp_path / "killed")[: len(before)] == before
    assert worker(tmp_path / "killed", sampler).wait() == 0

    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")
    assert finished(tmp_path / "killed") == list(range(len(rows(tmp_path / "whole"))))


def test_a_kill_at_a_random_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    assert worker(tmp_path / "whole", "nsga2").wait() == 0
    moments = random.Random(5)
    kills = 0
    for _ in range(4):
        log = tmp_path / "killed" / "log.jsonl"
        size = log.stat().st_size if log.exists() else 0
        process = worker(tmp_path / "killed", "nsga2", pause=0.02)
        # Once it writes, it is past its imports and in the middle of its trials.
        while process.poll() is None and (log.stat().st_size if log.exists() else 0) <= size + 2000:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.08))
        process.kill()
        kills += process.wait() == -signal.SIGKILL
    assert worker(tmp_path / "killed", "nsga2").wait() == 0

    assert kills > 0
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_last_line_is_removed_and_said(tmp_path: Path, kept: int) -> None:
    study(tmp_path / "whole")
    study(tmp_path / "torn", trials=5)
    log = tmp_path / "torn" / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])
    notes: list[str] = []

    class Observer(NullObserver):
        def note(self, message: str) -> None:
            notes.append(message)

    study(tmp_path / "torn", observer=Observer())
    assert rows(tmp_path / "torn") == rows(tmp_path / "whole")
    removed = len(lines[-1][:kept])
    assert notes == [f"the log ended in the middle of a line: {removed} bytes of an unfinished event were removed"]
    assert json.loads((tmp_path / "torn" / "provenance.json").read_text())["sessions"][1]["notes"] == notes


def test_a_damaged_line_in_the_middle_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    study(tmp_path)
    log = tmp_path / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    for damage in (b"{broken\n", b"\x00\x00\xff\n", b"[1]\n", b"{}\n"):
        lines[4] = damage
        log.write_bytes(b"".join(lines))
        before = log.read_bytes()
        with pytest.raises(StudyError, match="line 5 of the log is damaged") as caught:
            study(tmp_path)
        assert f"{log}:5" in str(caught.value)
        assert log.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[0], *lines[1:]], 2),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], 3),
        (lambda lines: [*lines[:3], *lines[4:]], 4),
        (lambda lines: [lines[0], b'{"event":"what"}\n', *lines[1:]], 2),
    ],
)
def test_events_out_of_order_are_named(tmp_path: Path, change: Any, line: int) -> None:
    study(tmp_path)
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(change(log.read_bytes().splitlines(keepends=True))))
    with pytest.raises(StudyError, match=f"line {line} of the log does not follow"):
        study(tmp_path)


def test_a_log_of_another_version_is_refused(tmp_path: Path) -> None:
    study(tmp_path)
    log = tmp_path / "log.jsonl"
    log.write_text(log.read_text().replace('"schema":1', '"schema":99', 1))
    with pytest.raises(StudyError, match="has another version") as caught:
        study(tmp_path)
    assert "found: schema 99" in str(caught.value)


def test_events_come_back_exactly_and_infinite_numbers_are_refused(tmp_path: Path) -> None:
    event = {"event": "x", "value": 0.1 + 0.2, "text": "zwölf\n", "list": [1, None, True]}
    with StudyLog(tmp_path / "log.jsonl") as log:
        log.append(event)
        with pytest.raises(StudyError, match="not finite"):
            log.append({"event": "y", "value": float("inf")})
    events, size = read_events(tmp_path / "log.jsonl")

    assert events == [event]
    assert size == (tmp_path / "log.jsonl").stat().st_size
    assert read_events(tmp_path / "absent") == ([], 0)


def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with StudyLog(tmp_path / "log.jsonl") as log:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StudyError, match="No space left on device") as caught:
            log.append({"event": "x"})
        monkeypatch.undo()
    assert "nothing recorded so far is lost" in str(caught.value)


def test_an_unfinished_trial_is_found_in_flight(tmp_path: Path) -> None:
    study(tmp_path)
    events, _ = read_events(tmp_path / "log.jsonl")
    history = read_history(events[:-1], tmp_path)

    assert history.in_flight is not None
    assert history.in_flight.number == len(history.finished) == len(history.rows)
    assert read_history(events, tmp_path).in_flight is None
