"""What a study does with trials that fail, numbers that cannot be, and a second run."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dse.errors import PluginContractError, SpaceError, StudyError, UnknownNameError, WorkerError
from dse.records.design import DesignPoint
from tests.support.fakes import FakeProblem, fake_space
from tests.support.studies import Notes, go, rows


def test_a_failed_trial_keeps_its_error_and_the_study_goes_on(tmp_path: Path) -> None:
    def fault(point: DesignPoint) -> None:
        if point.generator == "shared-prefix" and point.compressor == "none":
            raise RuntimeError("no memory left\nsecond line")

    go(tmp_path, fake_space(max_failed_share=0.9, trials=40), FakeProblem(score_fault=fault))
    failed = [row for row in rows(tmp_path) if row["status"] == "failed"]

    assert failed
    for row in failed:
        assert row["error_type"] == "RuntimeError"
        assert row["error_message"] == "no memory left\nsecond line"
        assert row["reason"] == "RuntimeError: no memory left"
        assert "raise RuntimeError" in row["error_traceback"]
        assert row["stage"] == "score"
        assert not row["on_front"]


def test_too_many_failures_stop_the_study_and_nothing_is_lost(tmp_path: Path) -> None:
    def fault(_point: DesignPoint) -> None:
        raise RuntimeError("broken simulator")

    with pytest.raises(StudyError, match="5 of 5 trials failed") as caught:
        go(tmp_path, problem=FakeProblem(cost_fault=fault))
    assert "broken simulator" in str(caught.value)
    assert "at most 10%" in str(caught.value)
    assert "nothing is lost" in str(caught.value)
    assert [row["status"] for row in rows(tmp_path)].count("failed") == 5

    done = go(tmp_path, trials=20, retry_failed=True)
    found = rows(tmp_path)
    points = [json.dumps([value for name, value in row.items() if name.startswith("param.")]) for row in found]
    assert done.progress.failed == 5
    assert {row["source"] for row in found[5:10]} == {"enqueued"}
    assert points[5:10] == points[:5]
    assert {row["status"] for row in found[5:10]} == {"done"}


def test_designs_at_which_the_worker_dies_count_apart_and_a_row_of_them_stops_the_study(tmp_path: Path) -> None:
    def fault(point: DesignPoint) -> None:
        if point.compressor == "none":
            raise WorkerError("the worker process died, by itself")

    done = go(tmp_path / "some", fake_space(max_failed_share=0.0, trials=30), FakeProblem(score_fault=fault))
    assert 0 < done.progress.failed < 30

    def always(_point: DesignPoint) -> None:
        raise WorkerError("the worker process died, by itself")

    words = r"(?s)died twice at each of the last 5 designs.*by itself.*nothing is lost.*--retry-failed"
    with pytest.raises(StudyError, match=words):
        go(tmp_path / "all", fake_space(max_failed_share=1.0), FakeProblem(cost_fault=always))
    assert [row["status"] for row in rows(tmp_path / "all")] == ["failed"] * 5


def test_a_sampler_that_costs_designs_itself_outlives_the_worker(tmp_path: Path) -> None:
    def fault(point: DesignPoint) -> None:
        if point.compressor == "none":
            raise WorkerError("the worker process died, by itself")

    notes = Notes()
    options = {"initial": 2, "pool": 20}
    space = fake_space(sampler="graybox", sampler_options=options, trials=12, max_failed_share=0.0)
    done = go(tmp_path, space, FakeProblem(cost_fault=fault), observer=notes)
    table = rows(tmp_path)
    assert done.progress.evaluated == 12
    assert {row["source"] for row in table} >= {"random"}
    assert {row["status"] for row in table if row["compressor"] != "none"} == {"done"}
    assert any("the worker died while the sampler costed designs" in note for note in notes.notes)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    problem = FakeProblem(change=lambda cost: replace(cost, metrics={**cost.metrics, "energy_uj": value}))
    with pytest.raises(StudyError, match="energy_uj is not a finite number"):
        go(tmp_path / "cost", problem=problem)
    problem = FakeProblem(change_score=lambda score: replace(score, metrics={**score.metrics, "score_mean": value}))
    with pytest.raises(StudyError, match="score_mean is not a finite number"):
        go(tmp_path / "score", problem=problem)
    assert {row["error_type"] for row in rows(tmp_path / "score")} == {PluginContractError.__name__}


def test_components_must_sum_to_their_total(tmp_path: Path) -> None:
    problem = FakeProblem(change=lambda cost: replace(cost, area={**cost.area, "adc": 0.0}))
    with pytest.raises(StudyError, match="components of area_mm2 do not sum to it"):
        go(tmp_path, problem=problem)


def test_metrics_without_a_column_are_refused(tmp_path: Path) -> None:
    problem = FakeProblem(change=lambda cost: replace(cost, metrics={**cost.metrics, "beauty": 1.0}))
    with pytest.raises(StudyError, match="unknown metric 'beauty'"):
        go(tmp_path, problem=problem)


def test_a_second_run_on_the_same_study_is_refused(tmp_path: Path) -> None:
    inside, leave = threading.Event(), threading.Event()

    def wait(_point: DesignPoint) -> None:
        inside.set()
        leave.wait(30)

    first = threading.Thread(target=lambda: go(tmp_path, problem=FakeProblem(cost_fault=wait), trials=1))
    first.start()
    try:
        assert inside.wait(30)
        with pytest.raises(StudyError, match="another run works on this study"):
            go(tmp_path)
    finally:
        leave.set()
        first.join()
    assert go(tmp_path, trials=2).progress.evaluated == 2


def test_an_empty_budget_and_unknown_components_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="the budget is empty"):
        go(tmp_path / "a", trials=0)
    with pytest.raises(UnknownNameError, match=r"did you mean 'area.arrays'"):
        go(tmp_path / "a", fake_space(constraints={"area.array": {"max": 1.0}}))
    assert not (tmp_path / "a").exists()
