"""One trial in sections: every stored fact is in one of them, and shares add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dse.commands import show
from dse.errors import StudyError
from dse.records.design import PluginParameter
from dse.records.parameters import Float, Int
from dse.results.read import show as show_trial
from dse.results.sections import Section, sections
from tests.support.tables import OLD, row, write

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "example"
DEPTH, BITS, ORDER = (
    "param.generator.shared-prefix.depth",
    "param.hardware.isaac.adc_bits",
    "param.scheduler.searched.order",
)


def by_title(folder: Path, trial: int) -> dict[str, Section]:
    return {section.title: section for section in sections(folder, trial)}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """One trial that is scored, whose parameters have every scope, and one that failed."""
    parameters = (
        *OLD,
        PluginParameter("compressor", "none", Float(name="kept", low=0, high=1, default=1, scope=("layer",))),
        PluginParameter("compressor", "none", Int(name="mask", low=0, high=1, default=0, scope=("task", "layer"))),
    )
    more = {
        "param.compressor.none.kept": (0.5, 0.25),
        "param.compressor.none.mask": ((0, 1, 1), (1, 0, 0)),
        "score.sst2": 0.8,
        "area.adc": 1.0,
        "area.arrays": 4.0,
        "energy.adc": 2.0,
        "energy.arrays": 0.0,
        "accuracy_drop_all": 2.5,
        "accuracy_drop_worst": 3.0,
    }
    rows = [row(0, 5.0, 0.8, **more), row(1, 1.0, None, error_type="MemoryError", order=None)]
    return write(tmp_path / "study", parameters, rows)


def test_components_are_sorted_by_their_share(study: Path) -> None:
    found = by_title(study, 0)
    assert found["area by component"].rows == (
        {"component": "arrays", "area_mm2": 4.0, "percent": 80.0},
        {"component": "adc", "area_mm2": 1.0, "percent": 20.0},
    )
    assert found["energy by component"].rows == ({"component": "adc", "energy_uj": 2.0, "percent": 100.0},)


def test_what_belongs_to_a_task_stands_beside_it(study: Path) -> None:
    table = by_title(study, 0)["parameters by task"]
    assert table.columns == ("task", "compressor.none.mask", "generator.shared-prefix.depth")
    assert table.rows == (
        {"task": "trec6", "compressor.none.mask": [0, 1, 1], "generator.shared-prefix.depth": 0},
        {"task": "sst2", "compressor.none.mask": [1, 0, 0], "generator.shared-prefix.depth": 1},
    )
    record = {line["column"]: line["value"] for line in by_title(study, 0)["record"].rows}
    assert record["param.compressor.none.kept"] == [0.5, 0.25]  # over layers, of which there are as many as tasks
    assert record[ORDER] == [1, 0]
    assert record[BITS] == 8


def test_tables_without_scopes_are_told_by_their_length(study: Path) -> None:
    file = study / "trials.parquet"
    table = pq.read_table(file)
    fields = [field.with_metadata({"summary": "x"}) for field in table.schema]
    pq.write_table(pa.Table.from_arrays(table.columns, schema=pa.schema(fields, table.schema.metadata)), file)
    assert set(by_title(study, 0)["parameters by task"].columns) == {
        "task",
        "compressor.none.kept",
        "compressor.none.mask",
        "generator.shared-prefix.depth",
    }


def test_scores_stand_beside_the_baselines_that_trials_settle(study: Path) -> None:
    rows = by_title(study, 0)["scores by task"].rows
    # This trial bounds both baselines by 0.83, but their mean is 0.825: which task lost less is not settled.
    assert rows == ({"task": "trec6", "score": 0.8}, {"task": "sst2", "score": 0.8})
    table = by_title(EXAMPLE, 117)["scores by task"]
    assert table.columns == ("task", "score", "baseline", "drop_points")
    drops = [line["drop_points"] for line in table.rows]
    known = show_trial(EXAMPLE, 117)
    assert np.mean(drops) == pytest.approx(known["accuracy_drop_all"])
    assert max(drops) == pytest.approx(known["accuracy_drop_worst"])


def test_the_order_of_the_tasks_is_numbered_and_timed(study: Path) -> None:
    assert by_title(study, 0)["order of the tasks"].rows == (
        {"place": 1, "task": "sst2", "switch_us": 0.0, "visit_us": 2.0},
        {"place": 2, "task": "trec6", "switch_us": 0.5, "visit_us": 3.0},
    )
    assert by_title(EXAMPLE, 0)["order of the tasks"].columns == ("place", "task")  # of before visits were timed


def test_sections_without_anything_are_left_out(study: Path) -> None:
    found = by_title(study, 1)
    assert "scores by task" not in found
    assert "order of the tasks" not in found
    assert {"column": "error_type", "value": "MemoryError"} in found["record"].rows


@pytest.mark.parametrize("trial", [0, 1, 117])
def test_every_fact_is_in_one_section(trial: int) -> None:
    stored = show_trial(EXAMPLE, trial)
    found = by_title(EXAMPLE, trial)
    shown: dict[str, Any] = {line["column"]: line["value"] for line in found["record"].rows}
    for what, unit in (("area", "mm2"), ("energy", "uj")):
        section = found.get(f"{what} by component")
        for line in section.rows if section else ():
            shown[f"{what}.{line['component']}"] = line[f"{what}_{unit}"]
    for line in found["scores by task"].rows if "scores by task" in found else ():
        shown[f"score.{line['task']}"] = line["score"]
    table = found.get("parameters by task")
    for name in table.columns[1:] if table else ():
        shown[f"param.{name}"] = [line[name] for line in table.rows] if table else []
    for line in found["order of the tasks"].rows:
        for name, column in (("order", "task"), ("visit_us", "visit_us"), ("switch_us", "switch_us")):
            if column in line:
                shown.setdefault(name, []).append(line[column])
    zero = {name: value for name, value in stored.items() if name.startswith(("area.", "energy.")) and not value}
    assert shown | zero == stored


def test_the_function_takes_a_name(study: Path) -> None:
    assert show.sections("study", 0, results=study.parent) == sections(study, 0)
    with pytest.raises(StudyError, match="there is no trial 7"):
        sections(study, 7)


def test_how_far_draws_lie_apart_stands_beside_the_score(tmp_path: Path) -> None:
    more = {
        "score.sst2": 0.8,
        "score_spread.trec6": 0.01,
        "score_spread.sst2": 0.02,
        "draws": 3,
        "accuracy_drop_spread": 1.5,
    }
    found = by_title(write(tmp_path / "noisy", OLD, [row(0, 5.0, 0.8, **more)]), 0)
    assert found["scores by task"].columns[:3] == ("task", "score", "spread")
    assert [line["spread"] for line in found["scores by task"].rows] == [0.01, 0.02]
    record = {line["column"]: line["value"] for line in found["record"].rows}
    assert (record["draws"], record["accuracy_drop_spread"]) == (3, 1.5)
    assert not [name for name in record if name.startswith("score_spread.")]


def test_intervals_and_chance_stand_beside_the_baseline_of_each_task(tmp_path: Path) -> None:
    more = {
        "score.sst2": 0.7,
        "baseline.trec6": 0.9,
        "baseline.sst2": 0.75,
        "chance.trec6": 0.25,
        "chance.sst2": 0.5,
        "accuracy_drop_low.trec6": 8.5,
        "accuracy_drop_high.trec6": 11.5,
    }
    table = by_title(write(tmp_path / "x", OLD, [row(0, 5.0, 0.8, **more)]), 0)["scores by task"]
    assert table.columns == ("task", "score", "baseline", "chance", "drop_points", "drop_low", "drop_high")
    first, second = table.rows
    assert first == pytest.approx(
        {"score": 0.8, "baseline": 0.9, "chance": 0.25, "drop_points": 10.0, "drop_low": 8.5, "drop_high": 11.5}
        | {"task": "trec6"}
    )
    assert "drop_low" not in second
    assert not [line for line in by_title(tmp_path / "x", 0)["record"].rows if str(line["column"]).endswith(".trec6")]
