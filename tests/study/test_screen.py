"""Designs that lose too much on some rows stop there, and say why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dse.records.design import DesignPoint
from dse.records.scored import ScoreResult
from dse.study.provenance import Provenance
from dse.study.run import Finished, run
from tests.support.additive import Additive, additive_space
from tests.support.studies import rows


class Screened(Additive):
    """On some rows scores are the same, and their interval has a width of its own."""

    def __init__(self, width: float = 0.05) -> None:
        super().__init__()
        self.width = width
        self.asked: list[str] = []

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        self.asked.append(split)
        known = set(self.known)
        found = super().score(point, split)
        if split == "screen":
            self.known = known
            low = found.metrics["accuracy_drop"] - self.width
            return ScoreResult({**found.metrics, "accuracy_drop_low": low}, found.tasks, evaluated=found.evaluated)
        return found


def go(folder: Path, problem: Any, **search: Any) -> Finished:
    settings: Any = {"sampler": "random", "screen": True} | search
    space = additive_space(**settings)
    return run(problem, space, folder=folder, provenance=Provenance({}, {}), trials=search.get("trials", 40))


def test_what_cannot_reach_the_front_is_stopped_with_its_reason(tmp_path: Path) -> None:
    problem = Screened()
    done = go(tmp_path / "screened", problem)
    found = rows(tmp_path / "screened")
    whole = rows(go(tmp_path / "whole", Additive(), screen=False).folder)

    stopped = [row for row in found if row["status"] == "stopped"]
    assert stopped
    assert len(stopped) == done.progress.stopped
    for row in stopped:
        assert row["stage"] == "screen"
        assert "with 97.5 % confidence" in row["reason"]
        assert row["score_mean"] is None
        assert row["screened_tasks"] > 0
        assert row["violation"] == 0
        assert not row["on_front"]
    assert {row["trial"] for row in found if row["on_front"]} == {row["trial"] for row in whole if row["on_front"]}
    assert problem.asked.count("search") == sum(row["stage"] == "score" for row in found)
    evaluated = sum(row["status"] != "duplicate" for row in found)
    assert problem.asked.count("screen") == evaluated - 1  # before the first score there is nothing to compare with


def test_an_uncertain_look_stops_nothing(tmp_path: Path) -> None:
    go(tmp_path, Screened(width=50.0))
    assert not any(row["status"] == "stopped" for row in rows(tmp_path))


def test_a_study_that_is_continued_stops_the_same(tmp_path: Path) -> None:
    go(tmp_path / "whole", Screened())
    go(tmp_path / "parts", Screened(), trials=13)
    go(tmp_path / "parts", Screened())

    def seen(folder: Path) -> list[dict[str, Any]]:
        names = ("trial", "status", "stage", "reason", "score_mean", "on_front")
        return [{name: row[name] for name in names} for row in rows(folder)]

    assert seen(tmp_path / "parts") == seen(tmp_path / "whole")


def test_nothing_is_looked_at_first_unless_asked(tmp_path: Path) -> None:
    problem = Screened()
    go(tmp_path, problem, screen=False)
    assert set(problem.asked) == {"search"}
