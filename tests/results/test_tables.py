"""Parquet tables: schema, reading back with three tools, and the reading functions."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dse
from dse.errors import StudyError, UnknownNameError
from dse.files import sweep, write_whole
from dse.records.design import PluginParameter
from dse.records.parameters import Choice, Float, Int, Permutation
from dse.records.plugin import Kind
from dse.results.columns import METRIC_NAMES, merge_columns, parameter_type, study_columns
from dse.results.points import point_of
from dse.results.read import read_provenance, read_table, read_trials, show
from tests.support.tables import NEW, OLD, TASKS, row, write


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Four trials: two on the front, one dominated, one failed."""
    rows = [row(0, 5.0, 0.8), row(1, 3.0, 0.7), row(2, 6.0, 0.75), row(3, 1.0, None, error_type="MemoryError")]
    return write(tmp_path / "old", OLD, rows)


def test_types_follow_the_declaration_and_not_the_values(study: Path) -> None:
    schema = pq.read_schema(study / "trials.parquet")

    assert schema.field("param.generator.shared-prefix.depth").type == pa.list_(pa.int64())
    assert schema.field("param.scheduler.searched.order").type == pa.list_(pa.int64())
    assert schema.field("duplicate_of").type == pa.int64()
    assert schema.field("lifetime_years").type == pa.float64()
    assert schema.field("error_message").type == pa.string()
    assert schema.field("flagged_tasks").type == pa.list_(pa.string())
    assert schema.metadata[b"schema_version"] == b"2"
    assert schema.equals(pq.read_schema(study / "pareto.parquet"))


def test_a_parameters_field_says_what_its_list_is_over(study: Path) -> None:
    schema = pq.read_schema(study / "trials.parquet")
    scopes = {name: (schema.field(name).metadata or {}).get(b"scope") for name in schema.names if "param." in name}
    assert scopes == {
        "param.generator.shared-prefix.depth": b"task",
        "param.hardware.isaac.adc_bits": None,
        "param.scheduler.searched.order": b"order",
    }


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (Float(name="x", low=0, high=1, default=0), "float64"),
        (Int(name="x", low=0, high=1, default=0, scope=("layer",)), "list<int64>"),
        (Choice(name="x", choices=("a",), default="a", scope=("task", "layer")), "list<list<string>>"),
        (Choice(name="x", choices=(1, 2), default=1), "int64"),
        (Choice(name="x", choices=(0.5,), default=0.5), "float64"),
        (Choice(name="x", choices=(True, False), default=True), "bool"),
        (Permutation(name="x"), "list<int64>"),
    ],
)
def test_parameter_types(parameter: Any, expected: str) -> None:
    assert parameter_type(PluginParameter("hardware", "h", parameter)) == expected


def test_every_column_has_a_meaning() -> None:
    columns = study_columns((), TASKS, ["adc"])

    assert all(column.summary for column in columns)
    assert len({column.name for column in columns}) == len(columns)
    assert set(METRIC_NAMES) < {column.name for column in columns}


def test_columns_of_sessions_are_merged_in_the_order_seen() -> None:
    names = [column.name for column in merge_columns(study_columns(OLD, TASKS, []), study_columns(NEW, TASKS, ["adc"]))]

    assert names[-3:] == ["param.compressor.two-stage.cosine", "area.adc", "energy.adc"]
    assert len(set(names)) == len(names)


def test_three_tools_read_the_same(study: Path) -> None:
    file = study / "trials.parquet"
    with_pandas = pd.read_parquet(file)["area_mm2"].tolist()
    with_polars = pl.read_parquet(file)["area_mm2"].to_list()
    with_duckdb = [
        item for (item,) in duckdb.connect().execute(f"select area_mm2 from '{file}' order by trial").fetchall()
    ]

    assert with_pandas == with_polars == with_duckdb == [5.0, 3.0, 6.0, 1.0]


def test_studies_with_different_columns_are_joined_by_name(study: Path) -> None:
    new = write(study.parent / "new", NEW, [row(0, 4.0, 0.85, **{"param.compressor.two-stage.cosine": 0.5})])
    query = (
        'select count(*), max("param.compressor.two-stage.cosine"), sum(area_mm2), count("param.hardware.isaac.adc_bits") '
        f"from read_parquet('{study.parent}/*/trials.parquet', union_by_name=true)"
    )

    assert duckdb.connect().execute(query).fetchall() == [(5, 0.5, 19.0, 5)]
    frames = [pl.read_parquet(folder / "trials.parquet") for folder in (study, new)]
    joined = pl.concat(frames, how="diagonal")
    assert joined.height == 5
    assert joined["param.compressor.two-stage.cosine"].to_list() == [None] * 4 + [0.5]


def test_the_front_has_its_own_file(study: Path) -> None:
    assert read_trials(study)["on_front"].tolist() == [True, True, False, False]
    assert read_trials(study / "pareto.parquet")["trial"].tolist() == [0, 1]


def test_counts_stay_whole_numbers_where_cells_are_empty(study: Path) -> None:
    frame = read_trials(study)

    assert str(frame["duplicate_of"].dtype) == "Int64"
    assert str(frame["param.hardware.isaac.adc_bits"].dtype) == "Int64"


def test_metadata_says_what_the_front_is_about(study: Path) -> None:
    assert read_table(study / "trials.parquet")[1] == {
        "schema_version": 2,
        "study": "old",
        "objectives": ["area", "accuracy"],
        "reference_point": {"area_ratio_reference": 1.0, "accuracy_drop": 5.0},
    }
    pq.write_table(pa.table({"x": [1]}), study.parent / "other.parquet")
    with pytest.raises(StudyError, match="not written by dse"):
        read_table(study.parent / "other.parquet")


def test_a_front_table_is_sorted_and_leaves_out_what_was_not_measured(study: Path) -> None:
    frame = dse.pareto(study)

    assert frame["trial"].tolist() == [1, 0]
    assert "score_mean" in frame.columns
    assert "latency_us" not in frame.columns
    assert dse.pareto(study, sort="score_mean", descending=True)["trial"].tolist() == [0, 1]
    assert dse.pareto(study, max_drop=15.0)["trial"].tolist() == [0]
    assert dse.pareto(study, limit=1, columns=["trial", "param.hardware.isaac.adc_bits"]).shape == (1, 2)
    with pytest.raises(UnknownNameError, match=r"did you mean 'area_mm2'"):
        dse.pareto(study, sort="area_mm")


def test_show_gives_what_is_known_of_one_trial(study: Path) -> None:
    found = show(study, 3)

    assert found["error_type"] == "MemoryError"
    assert "score_mean" not in found
    assert point_of(found).values == {
        "generator.shared-prefix.depth": (0, 1),
        "scheduler.searched.order": (1, 0),
        "hardware.isaac.adc_bits": 8,
    }
    with pytest.raises(StudyError, match="there is no trial 4") as caught:
        show(study, 4)
    assert "0 to 3" in str(caught.value)


@pytest.mark.parametrize("kind", ["generator", "scheduler", "hardware"])
def test_a_frames_row_gives_its_point_back(study: Path, kind: Kind) -> None:
    point = point_of(read_trials(study).iloc[1].to_dict())  # type: ignore[arg-type]

    assert point.plugin(kind) in ("shared-prefix", "searched", "isaac")
    assert point == point_of(show(study, 1))


def test_folders_without_a_study_are_said_so(study: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no study here") as caught:
        read_trials(tmp_path / "odl")
    assert "studies beside it: old" in str(caught.value)
    with pytest.raises(StudyError, match="no study beside it"):
        read_trials(tmp_path / "x" / "y")
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "log.jsonl").write_text("")
    with pytest.raises(StudyError, match="a log but no results yet"):
        read_trials(tmp_path / "begun")
    (study / "provenance.json").write_text(json.dumps({"study": "old"}))
    assert read_provenance(study) == {"study": "old"}


def test_a_value_without_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="a result has no column") as caught:
        write(tmp_path, OLD, [row(0, 1.0, 0.5, beauty=1.0)])
    assert "found: beauty" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, Path.touch)
    path.write_text("old")

    def fail(file: Path) -> None:
        file.write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_half_written_is_removed(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, mine, other = (tmp_path / f".trials.parquet.{name}.tmp" for name in (dead.pid, os.getpid(), "x"))
    for path in (left, mine, other):
        path.write_text("half", encoding="utf-8")
    sweep(tmp_path)
    assert not left.exists()
    assert mine.exists()
    assert other.exists()


def test_a_study_without_trials_has_tables_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "empty", OLD, [])

    assert len(read_trials(folder)) == len(read_trials(folder / "pareto.parquet")) == 0
    with pytest.raises(StudyError, match="no trials yet"):
        show(folder, 0)
