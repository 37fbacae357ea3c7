"""What `graybox` knows of each objective before a score, and what it expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dse.samplers.graybox.goals import Goals
from tests.samplers.graybox.test_graybox import go, rows
from tests.support.additive import TASKS, additive_space

GAIN = {"name": "gain", "of": "1 / area_mm2", "goal": "max"}
RISK = {"name": "risk", "of": "area_mm2 * accuracy_drop", "goal": "min", "reference": 500.0}
ROW = {"area_mm2": 50.0, "array_area_ratio_reference": 0.5, "energy_ratio_reference": 2.0, "energy_uj": 3.0}


def goals_of(*objectives: object) -> Goals:
    return Goals(additive_space(objectives=list(objectives)).file, TASKS)


def test_exact_objectives_are_turned_and_measured_as_the_reference_point_says() -> None:
    assert goals_of("area", "energy", "accuracy").exact(ROW).tolist() == [0.5, 2.0]
    assert goals_of("area", GAIN).exact(ROW).tolist() == [0.5, -0.02]
    assert goals_of({"name": "area", "reference": 80.0}, "accuracy").exact(ROW).tolist() == [50.0, 0.0]
    assert goals_of("area_ratio", "energy").exact({**ROW, "area_ratio": 0.1, "area_ratio_reference": 0.7})[0] == 0.7
    assert goals_of("cycle_us", "area").exact(ROW).tolist() == [np.inf, 0.5]


def test_the_worst_value_is_that_of_the_reference_point_where_a_design_keeps_it() -> None:
    unit, worst = goals_of("area", "energy").scale(np.array([[0.5, 2.0], [0.9, 4.0]]))
    assert (unit * worst).tolist() == pytest.approx([1.0, 4.4])  # no design keeps an energy of 1.25
    unit, worst = goals_of("area", GAIN).scale(np.array([[0.5, -0.02], [0.9, -0.01]]))
    assert (unit * worst).tolist() == pytest.approx([1.0, -0.009])
    assert (unit > 0).all()


def test_expressions_over_scores_are_expected_with_their_spread() -> None:
    goals = goals_of("area", "accuracy", RISK)
    means, deviations = np.full((1, 4), 0.88), np.full((1, 4), 0.01)
    expected, spread = goals.expect([ROW], means, deviations, 0.9)
    assert expected.tolist() == [pytest.approx([0.88, -50 * 2.0])]
    assert spread.tolist() == [pytest.approx([0.005, 50 * 0.5])]
    assert goals.worst(0, np.array([0.8]), 0.9) == pytest.approx(0.85)
    assert goals.worst(1, np.array([-900.0]), 0.9) == -500.0
    assert goals.uncertain({**ROW, "score_mean": 0.8, "accuracy_drop": 10.0}).tolist() == [0.8, -500.0]
    lacking, _ = goals.expect([ROW, {}], np.full((2, 4), 0.88), np.full((2, 4), 0.01), 0.9)
    assert lacking[1, 1] == lacking[0, 1]


def test_several_uncertain_objectives_and_maximised_costs_are_searched(tmp_path: Path) -> None:
    options = {"pool": 60, "initial": 4}
    done = go(tmp_path, trials=10, objectives=[GAIN, "accuracy", RISK], sampler_options=options)
    assert done.progress.evaluated == 10
    table = rows(tmp_path)
    assert all(row["risk"] == pytest.approx(row["area_mm2"] * row["accuracy_drop"]) for row in table)
    assert min(row["area_mm2"] for row in table[4:]) < table[0]["area_mm2"]
