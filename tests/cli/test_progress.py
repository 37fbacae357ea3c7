from __future__ import annotations

import io
import math
import sys
from typing import Any

import pytest

from dse.cli.progress import Bars, Lines, Silent, duration, reporter, standing
from dse.results.status import Status
from dse.study.observer import Progress


class Terminal(io.StringIO):
    """Says it is one."""

    def isatty(self) -> bool:
        return True


def test_the_reporter_fits_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(reporter(quiet=True)) is Silent
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(reporter(quiet=False)) is Lines
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(reporter(quiet=False)) is Bars
    assert type(reporter(quiet=True)) is Silent


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    with Silent() as quiet:
        quiet.on_start(Progress(0, 5))
        quiet.activity("downloading", 0.5)
        quiet.trial(Progress(1, 5), {"status": "failed"})
        quiet.note("something")
        quiet.on_finish(Progress(5, 5), "done")
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_an_activity_is_told_at_its_start_and_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.activity("downloading model, 83 MB", None)
    for step in range(101):
        lines.activity("fine-tuning a", step / 100)
    assert said(capsys) == [
        "downloading model, 83 MB",
        "fine-tuning a: 0%",
        "fine-tuning a: 25%",
        "fine-tuning a: 50%",
        "fine-tuning a: 75%",
        "fine-tuning a: 100%",
    ]


def test_an_activity_that_begins_at_its_end_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.activity("task 'a' reads data", 1.0)
    lines.activity("task 'b' reads data", 1.0)
    assert said(capsys) == ["task 'a' reads data", "task 'b' reads data"]


def test_trials_are_told_with_front_best_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    ticks = iter([100.0, 130.0])
    lines = Lines(lambda: next(ticks))
    lines.on_ready()  # the clock starts at 100
    lines.trial(
        Progress(3, 10, restored=2, front=2, best={"area_mm2": 12.3456}, measured=4, cached=8), {"status": "done"}
    )
    assert said(capsys) == [
        "trial 3 of 10 · front 2 · best area_mm2 12.35 · scores 4 measured, 8 cached · about 4 min left"
    ]


def test_a_large_study_is_told_fifty_times(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    for done in range(1, 1001):
        lines.trial(Progress(done, 1000), {"status": "done"})
    told = said(capsys)
    assert len(told) == 50
    assert told[-1].startswith("trial 1000 of 1000")


def test_every_failure_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().trial(
        Progress(7, 1000, counts={Status.FAILED: 1}), {"status": "failed", "trial": 6, "reason": "ValueError: no"}
    )
    assert said(capsys) == ["trial 6 failed: ValueError: no"]


def test_the_opening_says_how_much_there_is_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    Lines().on_start(Progress(4, 10, restored=4, space_size=math.inf))
    Lines().on_start(Progress(0, 10, space_size=360))
    assert said(capsys) == [
        "10 trials, 4 of them done earlier; endless different designs",
        "10 trials; 360 different designs",
    ]


def test_the_standing_names_what_is_odd() -> None:
    progress = Progress(9, 10, counts={Status.INFEASIBLE: 2, Status.FAILED: 3, Status.DUPLICATE: 1}, front=4)
    assert standing(progress) == "front 4 · scores 0 measured, 0 cached · 2 infeasible · 3 failed · 1 duplicates"


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_bars_on_a_terminal_show_activity_trials_and_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    bars: Any
    with Bars() as bars:
        bars.on_start(Progress(0, 3, space_size=16))
        bars.activity("task 'a' reads data", 1.0)
        bars.activity("fine-tuning [a]", 0.4)
        bars._progress.refresh()
        bars.on_ready()
        bars.trial(
            Progress(1, 3, counts={Status.FAILED: 1}), {"status": "failed", "trial": 0, "reason": "ValueError: no"}
        )
        bars.trial(Progress(2, 3, front=1), {"status": "done"})
        bars._progress.refresh()
        bars.on_finish(Progress(3, 3), "budget spent")
    text = terminal.getvalue()
    for part in (
        "3 trials; 16 different designs",
        "task 'a' reads data\n",
        "fine-tuning [a]",
        "40%",
        "trial 0 failed: ValueError: no",
        "2 of 3",
        "budget spent",
    ):
        assert part in text, part
