"""The recorded problem answers for every design of its space with what was recorded, and counts what is asked."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from benchmarks.search_quality.course import course
from benchmarks.search_quality.record import FOLDER, setting_of, uniform_points
from benchmarks.search_quality.recorded import Recorded
from benchmarks.search_quality.settings import RECORDS
from dse.samplers.encoding import Codec


@pytest.fixture(scope="module", params=RECORDS)
def name(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def test_every_setting_of_every_task_is_recorded_once(name: str) -> None:
    problem = Recorded(name, budget=0)
    table: Any = pd.read_parquet(FOLDER / f"{name}.parquet")
    settings = {
        (task, json.dumps(setting_of(point, index)))
        for point in uniform_points(problem.space(seed=0))
        for index, task in enumerate(problem.tasks)
    }
    assert set(zip(table["task"], table["setting"], strict=True)) == settings
    assert len(table) == len(settings) == problem.scores
    assert table[["search", "report"]].notna().all().all()
    assert (table.groupby("task")[["search.baseline", "report.baseline"]].nunique() == 1).all().all()
    assert (table["search.baseline"] - table["search"]).abs().max() > 0.01


def test_a_score_is_paid_for_once_and_the_report_split_is_free(name: str) -> None:
    problem = Recorded(name, budget=10**6)
    point = Codec(problem.space(seed=0)).random_point(3)
    table: Any = pd.read_parquet(FOLDER / f"{name}.parquet").set_index(["task", "setting"])

    found = problem.score(point)
    assert found.evaluated == problem.spent == len(problem.tasks)
    assert problem.score(point).evaluated == 0
    assert problem.score(point, "report").evaluated == 0
    assert problem.spent == len(problem.tasks)
    for index, task in enumerate(problem.tasks):
        recorded: Any = table.loc[(task, json.dumps(setting_of(point, index)))]
        assert found.tasks[task] == recorded["search"]
        assert found.baseline[task] == recorded["search.baseline"]


def test_a_study_ends_where_its_budget_of_scores_is_spent(name: str) -> None:
    short = course(name, "random", 0, 40, 1000, {})
    again = course(name, "random", 0, 40, 1000, {})

    assert short.spent[-1] <= 40
    assert len(short.spent) < 1000
    assert short.spent == again.spent
    assert short.covered == again.covered
    assert list(short.covered) == sorted(short.covered)
    assert short.at(40) == short.covered[-1]
