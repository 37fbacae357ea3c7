"""A plugin that declares a new parameter and charges a new component adds columns; what read the table before reads it still."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

import dse
from dse.records.design import DesignPoint, PluginParameter
from dse.records.parameters import Choice, Float
from dse.records.scored import CostResult
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.study.provenance import Provenance
from dse.study.run import run
from tests.support.fakes import DAMAGE, LAYERS, PARAMETERS, TASKS, FakeProblem, fake_space, raw_space

OLD = [
    "trial",
    "status",
    "compressor",
    "area_mm2",
    "energy_uj",
    "score_mean",
    "area.adc",
    "param.hardware.isaac.adc_bits",
]
"""What a notebook of before names."""
KNOB = "param.hardware.isaac.knob"
MASK = "param.hardware.isaac.mask"
ADDED = (
    PluginParameter("hardware", "isaac", Float(name="knob", low=0.0, high=1.0, default=0.5, scores=False)),
    PluginParameter(
        "hardware", "isaac", Choice(name="mask", choices=("x", "y"), default="x", scope=("task", "layer"), scores=False)
    ),
)


def newer_cost(point: DesignPoint) -> CostResult:
    """Return the same cost with one component more."""
    cost = DAMAGE.cost(point)
    area = {**cost.area, "laser": 1.0}
    return replace(cost, area=area, metrics={**cost.metrics, "area_mm2": sum(area.values())})


NEWER = replace(DAMAGE, parameters=(*PARAMETERS, *ADDED), components=(*DAMAGE.components, "laser"), cost=newer_cost)
"""The same, with a newer hardware model: two more parameters, and a component of its own."""


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of a study of before, and of one that was begun then and continued with the newer plugin."""
    place = tmp_path_factory.mktemp("results")
    for name in ("before", "continued"):
        run(
            FakeProblem(), fake_space(trials=8), folder=place / name, provenance=Provenance({"hardware.isaac": "1"}, {})
        )
    raw = raw_space(trials=16)
    raw["hardware"]["isaac"]["parameters"] |= {"knob": {}, "mask": {}}
    newer = resolve(parse(raw), NEWER.parameters, TASKS, LAYERS)
    provenance = Provenance({"hardware.isaac": "2"}, {})
    run(FakeProblem(NEWER), newer, folder=place / "continued", provenance=provenance, force=True)
    return place / "before", place / "continued"


def test_the_new_columns_have_the_types_that_were_declared(studies: tuple[Path, Path]) -> None:
    before, continued = (pl.read_parquet_schema(folder / "trials.parquet") for folder in studies)
    assert set(continued) - set(before) == {KNOB, MASK, "area.laser", "energy.laser"}
    assert {name: continued[name] for name in before} == dict(before)
    assert [continued[name] for name in (KNOB, MASK)] == [pl.Float64, pl.List(pl.List(pl.String))]


def test_what_was_read_before_is_read_still(studies: tuple[Path, Path]) -> None:
    before, continued = (folder / "trials.parquet" for folder in studies)
    names = ", ".join(f'"{name}"' for name in OLD)
    for read in (
        lambda file: pd.read_parquet(file, columns=OLD, use_threads=False).to_numpy().tolist(),
        lambda file: pl.read_parquet(file, columns=OLD).rows(),
        lambda file: duckdb.connect().execute(f"SELECT {names} FROM '{file}' ORDER BY trial").fetchall(),
        lambda file: dse.query(f"SELECT {names} FROM trials ORDER BY trial", file.parent).to_numpy().tolist(),
    ):
        old, new = list(map(list, read(before))), list(map(list, read(continued)))
        assert len(new) == 16
        assert {row.pop(OLD.index("status")) for row in new[:8]} == {
            "stale"
        }  # the newer plugin's rows are not comparable
        old = [[value for name, value in zip(OLD, row, strict=True) if name != "status"] for row in old]
        pd.testing.assert_frame_equal(pd.DataFrame(new[:8]), pd.DataFrame(old), check_dtype=False)


def test_both_are_read_together(studies: tuple[Path, Path]) -> None:
    files = [folder / "trials.parquet" for folder in studies]
    query = f'SELECT count(*), count("{KNOB}"), count("area.laser") FROM read_parquet({list(map(str, files))}, union_by_name=true)'
    assert duckdb.connect().execute(query).fetchall() == [(24, 8, 8)]
    joined = pl.concat([pl.read_parquet(file) for file in files], how="diagonal")
    assert (joined.height, joined[KNOB].count(), joined["area.laser"].count()) == (24, 8, 8)
    assert pd.concat([pd.read_parquet(file, use_threads=False) for file in files])["area.laser"].count() == 8
    row = dse.query(f'SELECT count(*) AS n, count("{KNOB}") AS known FROM trials', list(studies)).to_dict("records")
    assert row == [{"n": 24, "known": 8}]
    assert "study" in dse.pareto(*studies).columns


def test_dse_shows_and_draws_what_is_new(studies: tuple[Path, Path], tmp_path: Path) -> None:
    folder = studies[1]
    assert KNOB not in dse.show(folder, 7)
    assert 0 <= dse.show(folder, 15)[KNOB] <= 1
    titles = {section.title: section for section in dse.sections(folder, 15)}
    assert {row["component"]: row["area_mm2"] for row in titles["area by component"].rows}["laser"] == 1.0
    assert KNOB.removeprefix("param.") in dse.report(folder, tmp_path / "x.html").read_text(encoding="utf-8")
