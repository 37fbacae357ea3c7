"""Studies whose objectives are columns and expressions over columns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import dse
from dse.dashboards.live import Live
from dse.errors import StudyError
from dse.records.scored import CostResult
from dse.reports.fronts import objectives as draw_fronts
from dse.reports.report import report_page
from dse.reports.study import load
from dse.results.read import read_table
from tests.support.fakes import FakeProblem, fake_space
from tests.support.studies import go, rows

PRODUCT = {"name": "product", "of": "area_mm2 * energy_uj * latency_us", "goal": "min", "reference": 1e6}
PRICE = {"name": "price", "of": 'accuracy_drop * c["area.adc"]', "goal": "min"}
QUOTIENT = {"name": "quotient", "of": "area_mm2 / writes", "goal": "min"}
MIXED = ["area", PRODUCT, PRICE, {"name": "latency_us", "reference": 200.0}]


def written(cost: CostResult) -> CostResult:
    """Let half of the designs write something."""
    return replace(cost, metrics={**cost.metrics, "writes": float((cost.metrics["area_mm2"] or 0) > 30)})


def test_each_expression_has_a_column_and_a_stage(tmp_path: Path) -> None:
    limits = {"product": {"max": 1e4}, "price": {"max": 1e6}, "param.hardware.isaac.adc_bits": {"max": 7}}
    problem = FakeProblem()
    go(tmp_path, fake_space(trials=40, objectives=MIXED, constraints=limits), problem)
    table = rows(tmp_path)
    done = [row for row in table if row["status"] == "done"]
    rejected = [row for row in table if row["status"] == "infeasible"]

    assert done
    for row in (*done, *rejected):
        assert row["product"] == pytest.approx(row["area_mm2"] * row["energy_uj"] * row["latency_us"])
        assert (row["product"] > 1e4 or row["param.hardware.isaac.adc_bits"] > 7) == (row["status"] == "infeasible")
    for row in done:
        assert row["price"] == pytest.approx(row["accuracy_drop"] * row["area.adc"])
    assert len(problem.scored) == len(done)  # a limit on costs, parameters or their product is known before the score
    assert {row["stage"] for row in rejected} == {"cost"}
    assert any("product = " in row["reason"] for row in rejected)
    assert {row["price"] for row in rejected} == {None}


def test_tables_hold_definitions_and_readers_know_the_column(tmp_path: Path) -> None:
    space = fake_space(trials=12, objectives=MIXED)
    go(tmp_path / "a", space)
    for name in ("trials.parquet", "pareto.parquet"):
        _, metadata = read_table(tmp_path / "a" / name)
        assert metadata["objectives"] == [item.definition for item in space.file.objectives]
        point = {"array_area_ratio_reference": 1.0, "product": 1e6, "latency_us": 200.0}
        assert metadata["reference_point"] == point
        field = pq.read_schema(tmp_path / "a" / name).field("product")
        assert field.metadata[b"summary"] == b"objective: area_mm2 * energy_uj * latency_us"
    front = dse.pareto("a", results=tmp_path, where="product > 0", sort="price")
    assert len(front)
    assert {"product", "price"} <= set(front.columns)
    volume = dse.hypervolume("a", results=tmp_path)
    assert volume["hypervolume"][0] > 0
    assert volume["reference.product"][0] == 1e6
    (names,) = dse.query("SELECT objectives FROM studies", results=tmp_path)["objectives"]
    assert list(names) == ["area", "product", "price", "latency"]
    study = load(tmp_path / "a")
    figure = draw_fronts(study, 2)
    assert not isinstance(figure, str)
    assert "price" in {axis.title.text for axis in figure.select_yaxes()}
    assert "minimise product" in report_page(study)
    assert Live(tmp_path / "a").refresh() == 12


@pytest.mark.parametrize("sampler", ["graybox", "random", "tpe", "nsga2"])
def test_a_design_without_a_value_is_infeasible_and_the_study_goes_on(tmp_path: Path, sampler: str) -> None:
    options = {"nsga2": {"population_size": 4}, "graybox": {"pool": 30, "initial": 3}}.get(sampler, {})
    space = fake_space(sampler=sampler, sampler_options=options, trials=9, objectives=["accuracy", QUOTIENT])
    go(tmp_path / "whole", space, FakeProblem(change=written))
    for total in (4, 9):
        go(tmp_path / "parts", space, FakeProblem(change=written), trials=total)

    table = rows(tmp_path / "whole")
    assert rows(tmp_path / "parts") == table
    statuses = [row["status"] for row in table]
    assert "done" in statuses
    assert ("infeasible" in statuses) == (
        sampler != "graybox"
    )  # which knows the costs of a design before it proposes it
    for row in (row for row in table if row["status"] == "infeasible"):
        assert row["reason"] == "objective 'quotient' has no value, since it divides by zero"
        assert row["violation"] > 0
        assert row["area_mm2"] > 0
        assert row["stage"] == "cost"


def test_costs_alone_have_a_hypervolume(tmp_path: Path) -> None:
    problem = FakeProblem()
    go(tmp_path, fake_space(trials=20, objectives=["area", "energy", "latency"]), problem)
    assert not problem.scored
    assert dse.hypervolume(tmp_path)["hypervolume"][0] > 0


def test_a_study_on_costs_is_scored_where_a_constraint_needs_it(tmp_path: Path) -> None:
    problem = FakeProblem()
    go(tmp_path, fake_space(trials=12, objectives=["area"], constraints={"accuracy_drop": {"max": 20.0}}), problem)
    assert problem.scored
    assert {row["status"] for row in rows(tmp_path)} >= {"done", "infeasible"}


def test_designs_of_before_count_under_new_objectives(tmp_path: Path) -> None:
    go(tmp_path, fake_space(trials=10, objectives=["area", "accuracy"]))
    with pytest.raises(StudyError, match="begun under other conditions"):
        go(tmp_path, fake_space(trials=12, objectives=["area", PRICE]))
    go(tmp_path, fake_space(trials=12, objectives=["area", PRICE]), force=True)
    done = [row for row in rows(tmp_path) if row["status"] == "done"]
    assert all(row["price"] == pytest.approx(row["accuracy_drop"] * row["area.adc"]) for row in done)
    assert any(row["on_front"] for row in done[:10])
    go(tmp_path, fake_space(trials=14, objectives=["area", {**PRICE, "of": "accuracy_drop * 2"}]), force=True)
    done = [row for row in rows(tmp_path) if row["status"] == "done"]
    assert all(row["price"] == pytest.approx(2 * row["accuracy_drop"]) for row in done)


def test_a_log_with_a_damaged_definition_is_refused(tmp_path: Path) -> None:
    space = fake_space(trials=3, objectives=["area", PRODUCT])
    go(tmp_path, space)
    log = tmp_path / "log.jsonl"
    header, *lines = log.read_text(encoding="utf-8").splitlines()
    wrong: dict[str, Any] = json.loads(header)
    wrong["objectives"][1]["of"] = "__import__('os')"
    log.write_text("\n".join([json.dumps(wrong), *lines]) + "\n", encoding="utf-8")
    with pytest.raises(
        StudyError, match=r"(?s)line 1 of the log is damaged.*objectives that are columns or expressions"
    ):
        go(tmp_path, space)


def test_studies_with_other_definitions_have_no_joint_front(tmp_path: Path) -> None:
    for name, of in (("a", "area_mm2*2"), ("b", "area_mm2 * 2"), ("c", "area_mm2 * 3")):
        go(tmp_path / name, fake_space(trials=4, objectives=["energy", {"name": "own", "of": of, "goal": "min"}]))
    assert len(dse.pareto("a", "b", results=tmp_path, anyway=True))
    with pytest.raises(StudyError, match="studies with different objectives have no joint front") as caught:
        dse.pareto("a", "c", results=tmp_path, anyway=True)
    assert "expected: energy, own = area_mm2 * 2 (min), as in a" in str(caught.value)
    assert "found: energy, own = area_mm2 * 3 (min)" in str(caught.value)
