"""Objectives as plain data, their references, and what two studies must agree in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dse.errors import SpaceError, UnknownNameError
from dse.results.columns import METRICS, OPEN_METRICS, Metric, find_metric
from dse.results.objectives import (
    SHORT_NAMES,
    check_column,
    evaluate_objectives,
    is_maximised,
    read_objective,
    read_objectives,
    reference_point,
    rename_ratios,
)

PRODUCT = {"name": "product", "of": "area_mm2*energy_uj * latency_us", "goal": "min", "reference": 1e6}
AREA = {"array_area_ratio_reference": 1.0}


def test_every_metric_has_a_goal_and_a_reference() -> None:
    for name, metric in METRICS.items():
        objective = read_objective(name)
        assert objective.reference is not None, name
        assert objective.goal == metric.goal
        assert objective.needs_score == metric.needs_score
        assert METRICS[objective.reference[0]].needs_score == metric.needs_score
        assert set(metric.measured_by) <= set(METRICS)


def test_a_new_column_is_an_objective_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    column = Metric("answers_rps", "float64", "answers per second", goal="max", reference=1.0, unit="1/s")
    monkeypatch.setitem(METRICS, column.name, column)
    objective = read_objective("answers_rps")
    assert objective.maximise
    assert objective.sentence == "answers_rps: maximise answers_rps; hypervolume up to answers_rps 1 1/s"
    assert read_objective({"name": "x", "of": "answers_rps / area_mm2", "goal": "max"}).expression is not None


@pytest.mark.parametrize(
    ("item", "definition", "rule"),
    [
        ("area", "area", "area"),
        ("area_mm2", "area", "area"),
        ({"name": "area_mm2", "of": "area_mm2"}, "area", "area"),
        ("cycle_us", {"name": "cycle_us", "goal": "min"}, "cycle_us"),
        ({"name": "area", "reference": 90}, {"name": "area", "goal": "min", "reference": 90}, "area"),
        ({"name": "area", "goal": "max"}, {"name": "area", "goal": "max"}, "area (max)"),
        ("score.trec6", {"name": "score.trec6", "goal": "max"}, "score.trec6"),
        (
            PRODUCT,
            {**PRODUCT, "of": "area_mm2 * energy_uj * latency_us"},
            "product = area_mm2 * energy_uj * latency_us (min)",
        ),
    ],
)
def test_a_definition_has_one_way_of_writing(item: Any, definition: Any, rule: str) -> None:
    objective = read_objective(item)
    assert objective.definition == definition
    assert objective.rule == rule
    (again,) = read_objectives(json.loads(json.dumps([objective.definition])))
    assert again == objective


def test_references_are_the_defaults_the_files_or_an_objectives_own() -> None:
    usual = read_objectives(["area", "energy", "accuracy"])
    assert reference_point(usual, None) == {**AREA, "energy_ratio_reference": 1.25, "accuracy_drop": 5.0}
    costs = read_objectives(["area", "energy", "latency"])
    assert reference_point(costs, None) == {
        **AREA,
        "energy_ratio_reference": 1.25,
        "latency_ratio_reference": 1.25,
    }
    own = read_objectives(["area", PRODUCT, {"name": "energy", "reference": 700.0}])
    assert reference_point(own, None) == {**AREA, "product": 1e6, "energy_uj": 700.0}
    assert reference_point(own, {"area_ratio": 0.5}) == {
        "area_ratio_reference": 0.5,
        "product": 1e6,
        "energy_uj": 700.0,
    }
    assert reference_point(read_objectives([{**PRODUCT, "reference": None}]), None) == {}


def test_ratios_to_own_hardware_are_measured_by_those_to_the_reference_hardware() -> None:
    own = read_objectives(["area_ratio", {"name": "energy_ratio", "reference": 0.5}, "latency_ratio_best"])
    point = {"area_ratio_reference": 1.0, "energy_ratio_reference": 0.5, "latency_ratio_best": 1.25}
    assert reference_point(own, None) == point
    assert own[0].covers("area_ratio_reference")
    assert is_maximised("area_ratio_reference", read_objectives([{"name": "area_ratio", "goal": "max"}]))
    assert rename_ratios({"area_ratio": 1.0, "writes": 2.0}, ["area_ratio", "writes"]) == {
        "area_ratio": 1.0,
        "writes": 2.0,
    }


def test_the_goal_of_an_objective_comes_before_that_of_its_column() -> None:
    largest = read_objectives([{"name": "area_mm2", "goal": "max"}])
    assert is_maximised("area_mm2", largest)
    assert largest[0].reference is None
    assert not is_maximised("area_mm2")
    assert is_maximised("score.trec6")


def test_a_design_without_a_score_has_that_of_a_constant_prediction() -> None:
    row = {"area_mm2": 4.0, "accuracy_drop": None}
    assert read_objective("accuracy").value(row, scored=False) == 0.0
    assert read_objective("accuracy_drop").value(row, scored=False) == 100.0
    product = read_objective({"name": "x", "of": "area_mm2 * accuracy_drop", "goal": "min"})
    assert product.value(row, scored=False) == 400.0
    assert product.needs_score
    assert evaluate_objectives(row, [product])[0] == {}
    assert evaluate_objectives({**row, "accuracy_drop": 2}, [product]) == ({"x": 8.0}, [])
    with pytest.raises(ValueError, match="objective 'x' has no value, since the column accuracy_drop is empty"):
        product.value(row)


@pytest.mark.parametrize(
    ("name", "kind", "texts"),
    [
        ("area_mm", UnknownNameError, ["no column called 'area_mm'", "did you mean 'area_mm2'?"]),
        ("report.accuracy_drop", SpaceError, ["another split"]),
        ("search.score_mean", SpaceError, ["another split"]),
        ("compressor", SpaceError, ["'compressor' holds string"]),
        ("visit_us", SpaceError, ["'visit_us' holds list<float64>"]),
        ("on_front", SpaceError, ["'on_front' holds bool"]),
        ("duration_s", SpaceError, ["'duration_s' is about the run"]),
        ("score.", UnknownNameError, ["no column called 'score.'"]),
    ],
)
def test_other_columns_are_refused(name: str, kind: type[Exception], texts: list[str]) -> None:
    with pytest.raises(kind) as caught:
        check_column(name, "here")
    for text in [*texts, "where: here"]:
        assert text in str(caught.value)


def test_columns_of_tasks_components_and_parameters_are_metrics() -> None:
    for prefix in OPEN_METRICS:
        metric = find_metric(f"{prefix}x.y")
        assert metric is not None
        assert metric.name == f"{prefix}x.y"
    assert set(SHORT_NAMES.values()) <= set(METRICS)
    with pytest.raises(SpaceError, match=r"objective 'param.a.b.c' has no goal"):
        read_objective("param.a.b.c")


@pytest.mark.parametrize(
    "items",
    [
        [],
        "area",
        {"area": 1},
        [3],
        [None],
        [["area"]],
        ["aera"],
        [{}],
        [{"name": "x", "of": 3, "goal": "min"}],
        [{**PRODUCT, "goal": "least"}],
        [{**PRODUCT, "goal": None}],
        [{**PRODUCT, "reference": "much"}],
        [{**PRODUCT, "reference": float("nan")}],
        [{**PRODUCT, "of": "1 + 1"}],
    ],
)
def test_damaged_definitions_are_said(items: Any) -> None:
    with pytest.raises(ValueError, match=r"^objectives "):
        read_objectives(items)
