"""What is said of samplers follows from their courses, and figures and page say what a record says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.search_quality import compare
from benchmarks.search_quality.course import Course
from benchmarks.search_quality.page import PAGE, page


def course(*steps: tuple[int, float]) -> Course:
    return Course(tuple(spent for spent, _ in steps), tuple(covered for _, covered in steps), 0.25, 12.5)


OURS = course((8, 0.1), (100, 0.5), (200, 0.6), (500, 0.62))
SLOW = course((8, 0.1), (400, 0.3), (800, 0.5), (816, 0.9))
LIVE = {"trials": 24, "max_difference": 0.0, "score_s": 2.0}


def found() -> dict[str, Any]:
    courses = {"graybox": [OURS] * 3, "nsga2": [SLOW] * 3, "random": [course((8, 0.05))] * 3}
    return compare.summary(courses) | {"scores": 1120}


def test_a_course_says_what_a_budget_buys() -> None:
    assert OURS.at(150) == 0.5
    assert OURS.at(4) == 0.0
    assert OURS.needed(0.55) == (200, 3)
    assert OURS.needed(0.7) == (float("inf"), float("inf"))


def test_what_is_paid_beyond_the_budget_does_not_count() -> None:
    summary = found()

    assert summary["best"] == "nsga2"
    assert summary["reached"] == {"nsga2": 0.5, "random": 0.05}
    assert summary["needed"] == 100
    assert summary["ours"] == {"160": 0.5, "400": 0.6, "800": 0.62}
    assert summary["known"] == 0.9


def test_figures_are_those_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "RECORD", tmp_path / "search.json")
    with pytest.raises(FileNotFoundError):
        list(compare.search())
    compare.RECORD.write_text(json.dumps({"eight": found(), "live": LIVE}))
    figures = {figure.name: figure for figure in compare.search()}

    assert figures["search.evals_ratio.eight"].value == 8
    assert figures["search.hv_at_400"].value == pytest.approx(0.6 / 0.9)
    assert figures["search.sampler_ms"].value == 12.5
    assert figures["search.own_time_share"].value == pytest.approx(2 * 0.0125 / (700 * 2))
    assert figures["search.live_max_difference"].met
    assert "search.evals_ratio.quickstart" not in figures


def test_the_page_says_what_the_record_says() -> None:
    text = page({"quickstart": found(), "eight": found(), "live": LIVE})

    assert "| `nsga2` | 0.5000 | 816 | 4 | 12 | 0.2500 |" in text
    assert "8.0 times fewer than 800" in text
    assert "The first 24 trials" in text
    assert "There are 1,120 task scores in all." in text


def test_the_committed_page_is_that_of_the_record() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(compare.RECORD.read_text(encoding="utf-8")))
