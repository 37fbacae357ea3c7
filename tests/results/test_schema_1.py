"""Tables of schema version 1, as a study once wrote them: what was promised of them holds for every later version."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq

import dse
from dse.results.columns import COST_METRICS, IDENTITY, RECORD, SCHEMA_VERSION, SCORE_METRICS
from dse.results.read import read_table, read_trials
from dse.results.schema import arrow_type

FOLDER = Path(__file__).resolve().parents[1] / "fixtures" / "schema_1"
TRIALS, PARETO = FOLDER / "trials.parquet", FOLDER / "pareto.parquet"
AREA = 5974.562140099285


def test_tables_of_every_version_are_kept() -> None:
    kept = {folder.name for folder in FOLDER.parent.glob("schema_*")}
    assert kept == {f"schema_{version}" for version in range(1, SCHEMA_VERSION + 1)}


def test_columns_are_still_there_and_of_the_same_type() -> None:
    now = {column.name: arrow_type(column.type) for column in (*IDENTITY, *COST_METRICS, *SCORE_METRICS, *RECORD)}
    open_ended = ("score.", "param.", "area.", "energy.")
    kept = {field.name: field.type for field in pq.read_schema(TRIALS) if not field.name.startswith(open_ended)}
    assert len(kept) == 39
    assert {name: now.get(name) for name in kept} == kept


def test_every_reader_reads_the_same() -> None:
    with_duckdb = duckdb.connect().execute(f"SELECT count(*), sum(area_mm2) FROM '{TRIALS}'").fetchone()
    with_pandas, with_polars = pd.read_parquet(TRIALS), pl.read_parquet(TRIALS)
    assert with_duckdb is not None
    sums = [
        with_duckdb[1],
        with_pandas["area_mm2"].sum(),
        with_polars["area_mm2"].sum(),
        read_trials(FOLDER)["area_mm2"].sum(),
    ]
    counts = [with_duckdb[0], len(with_pandas), with_polars.height, len(read_trials(FOLDER))]
    assert counts == [118] * 4
    assert [round(value, 6) for value in sums] == [round(AREA, 6)] * 4


def test_dse_reads_all_of_it(tmp_path: Path) -> None:
    assert read_table(FOLDER / "trials.parquet")[1] == {
        "schema_version": 1,
        "study": "quickstart",
        "objectives": ["area", "energy", "accuracy"],
        "reference_point": {"array_area_ratio": 1.0, "energy_ratio": 1.25, "accuracy_drop": 5.0},
    }
    assert len(read_trials(FOLDER / "pareto.parquet")) == len(dse.pareto(FOLDER)) == 27
    assert dse.show(FOLDER, 117)["order"] == ["trec6", "tweet_sent", "amazon_sent", "rt_polarity"]
    (row,) = dse.query("SELECT * FROM studies", FOLDER).to_dict("records")
    assert (row["study"], row["trial_count"], row["dse_version"]) == ("schema_1", 118, "0.1.0")
    assert round(float(dse.hypervolume(FOLDER)["hypervolume"][0]), 9) == 0.633610012
    assert [section.title for section in dse.sections(FOLDER, 117)][-1] == "order of the tasks"
    assert dse.report(FOLDER, tmp_path / "x.html").is_file()
