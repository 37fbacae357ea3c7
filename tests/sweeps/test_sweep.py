"""A sweep costs the designs of a space in order, in parts, with the rows and the front of a study."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import dse
from benchmarks.loop import Prepared
from benchmarks.problems import costed_problem, encoder, shapes
from dse.errors import DseError, QueryError, SpaceError, StudyError
from dse.files import write_whole
from dse.records.callbacks import ignore_progress
from dse.results.objectives import read_objectives
from dse.results.pareto import front_mask
from dse.results.points import point_of
from dse.results.read import read_table
from dse.space.searchspace import SearchSpace
from dse.study.provenance import Provenance
from dse.study.run import run
from dse.sweeps import folder as folders
from dse.sweeps import sweep as sweeps
from dse.sweeps.designs import Designs
from dse.sweeps.sweep import Swept, sweep

TINY = shapes(2, encoder(2, 128, 512, 2))
FEW = {
    "two-stage": {"cosine": {"choices": [0.9, 0.95]}, "max_bits": 1, "selective": 0.0},
    "shared-prefix": {"depth": 1},
}
HARDWARE = {"isaac": {"adc_bits": {"choices": [5, 8]}, "array_size": {"choices": [64, 128]}}}
OWN = ("trial", "seed", "source", "duration_s", "on_front")
"""Columns that differ between a sweep and a study."""
COSTS: dict[str, Any] = {"objectives": ["area", "energy"]}


def open_sweep(free: dict[str, Any] | None = None, **search: Any) -> tuple[Any, SearchSpace]:
    problem, space = costed_problem(TINY, free=free or {**FEW, **HARDWARE}, **{**COSTS, **search})
    problem.prepare = lambda **_options: None  # type: ignore[method-assign]  # it is prepared
    return problem, space


def go(folder: Path, opened: tuple[Any, SearchSpace], **options: Any) -> Swept:
    options.setdefault("activity", ignore_progress)
    return sweep(*opened, Provenance(), folder, **options)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_table(folder / "trials.parquet")[0].to_pylist()
    return found


ranges = st.fixed_dictionaries(
    {
        "isaac": st.sampled_from(
            [{}, {"adc_bits": {}}, {"array_size": {}, "encoding": {}, "cell_bits": {}, "adc_bits": 8}]
        ),
        "two-stage": st.sampled_from(
            [{"cosine": {}, "max_bits": {}}, {"selective": {"low": 0.0, "high": 0.5, "step": 0.25}}]
        ),
        "shared-prefix": st.sampled_from([{}, {"depth": 0}]),
    }
)
searches = st.fixed_dictionaries(
    {"seed": st.integers(0, 9)},
    optional={
        "objectives": st.sampled_from(
            [
                ["area", "energy", "latency"],
                ["area", {"name": "product", "of": "area_mm2 * energy_uj", "goal": "min"}],
                ["energy", {"name": "lifetime_years", "goal": "max"}],
            ]
        ),
        "constraints": st.sampled_from([{"area_ratio": {"max": 0.9}}, {"latency_us": {"min": 1.0, "max": 9.0}}]),
    },
)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(ranges=ranges, search=searches)
def test_a_row_equals_the_row_of_a_study(
    tmp_path_factory: pytest.TempPathFactory, ranges: dict[str, Any], search: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    problem, space = open_sweep(ranges, **search)
    go(folder / "sweep", (problem, space), designs=24)
    found = rows_of(folder / "sweep")
    points = [point_of(row) for row in found]
    run(Prepared(problem), space, folder=folder / "study", provenance=Provenance(), trials=len(points), enqueue=points)
    study = read_table(folder / "study" / "trials.parquet")[0].to_pylist()

    assert len({point.key() for point in points}) == len(points) > 12
    assert {row["status"] for row in found} <= {"done", "infeasible"}
    for row, same in zip(found, study, strict=True):
        for name in row.keys() | same.keys():
            assert name in OWN or row.get(name) == same.get(name), name
    assert {row["trial"] for row in found if row["on_front"]} == {
        found[row["trial"]]["trial"] for row in study if row["on_front"]
    }


def test_every_design_of_a_finite_space_is_there_once_and_the_front_is_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "PART", 10)
    problem, space = open_sweep()
    done = go(tmp_path, (problem, space))
    found = rows_of(tmp_path)
    keys = {point_of(row).key() for row in found}
    mask = front_mask(found, read_objectives(["area", "energy"]))

    assert len(found) == len(keys) == space.size == done.rows
    assert [row["trial"] for row in found] == list(range(len(found)))
    assert [row["on_front"] for row in found] == mask
    assert done.front == sum(mask) > 1
    assert len(list((tmp_path / "trials.parquet").iterdir())) == -(-len(found) // 10)


def test_few_designs_of_a_large_space_are_shared_out_to_its_plugins(tmp_path: Path) -> None:
    problem, space = open_sweep({"isaac": {"adc_bits": {}}})
    go(tmp_path / "a", (problem, space), designs=64)
    go(tmp_path / "b", (problem, space), designs=64)
    other = replace(
        space, file=space.file.model_copy(update={"search": space.file.search.model_copy(update={"seed": 1})})
    )
    go(tmp_path / "c", (problem, other), designs=64)
    a, b, c = (rows_of(tmp_path / name) for name in "abc")
    pairs = [(row["generator"], row["compressor"]) for row in a]

    assert a == b
    assert {point_of(row).key() for row in a} != {point_of(row).key() for row in c}
    large = [pairs.count((generator, "two-stage")) for generator in ("independent", "shared-prefix")]
    assert max(large) - min(large) <= 1
    assert min(large) >= max(pairs.count((generator, "none")) for generator in ("independent", "shared-prefix")) > 0
    assert set(pairs) == set(itertools.product(("independent", "shared-prefix"), ("none", "two-stage")))


@pytest.mark.parametrize("keep", ["all", "front"])
def test_a_killed_sweep_goes_on_and_doubles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Any) -> None:
    monkeypatch.setattr(sweeps, "PART", 7)
    opened = open_sweep({"isaac": {"adc_bits": {}, "array_size": {}}})
    go(tmp_path / "whole", opened, designs=40, keep=keep)
    calls = iter(range(99))

    def kill(_point: str) -> None:
        if next(calls) == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        go(tmp_path / "parts", opened, designs=40, keep=keep, hook=kill)
    parts = sorted(path.name for path in (tmp_path / "parts" / "trials.parquet").iterdir())
    done = go(tmp_path / "parts", opened, designs=40, keep=keep)

    assert parts == ["part-000000.parquet", "part-000001.parquet", "part-000002.parquet"]
    assert rows_of(tmp_path / "parts") == rows_of(tmp_path / "whole")
    assert pq.read_table(tmp_path / "parts" / "pareto.parquet") == pq.read_table(tmp_path / "whole" / "pareto.parquet")
    assert done.front == sum(row["on_front"] for row in rows_of(tmp_path / "whole"))


def test_what_is_kept_is_the_front_or_what_a_condition_chooses(tmp_path: Path) -> None:
    opened = open_sweep()
    go(tmp_path / "all", opened)
    go(tmp_path / "front", opened, keep="front")
    go(tmp_path / "where", opened, where='"param.hardware.isaac.array_size" = 64 -- small')
    every, front, chosen = (rows_of(tmp_path / name) for name in ("all", "front", "where"))

    assert [row["trial"] for row in front] == [row["trial"] for row in every if row["on_front"]]
    assert 0 < len(chosen) < len(every)
    assert {row["param.hardware.isaac.array_size"] for row in chosen} == {64}


def test_readers_read_a_sweep_as_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "tiny-sweep"
    done = go(folder, open_sweep())
    frame = dse.pareto(folder)

    assert len(frame) == done.front
    assert dse.query("SELECT count(*) AS n FROM trials", folder)["n"][0] == done.rows
    assert dse.query("SELECT count(*) AS n FROM pareto", "tiny-sweep", results=tmp_path)["n"][0] == done.front
    assert dse.show(folder, 3)["trial"] == 3
    assert dse.hypervolume(folder) is not None
    header = json.loads((folder / "sweep.json").read_text())
    assert {"versions", "plugins", "digests", "machine", "columns", "space_hash", "sweep"} <= header.keys()


def test_a_design_that_cannot_be_costed_fails_alone(tmp_path: Path) -> None:
    problem, space = open_sweep()
    cost, costed = problem.cost, problem.costing.cost_columns

    def fail(params: Any) -> None:
        if (params["hardware"]["adc_bits"] == 5).any():
            raise ArithmeticError("no such converter")

    def fail_columns(chosen: Any, params: Any) -> Any:
        fail(params)
        return costed(chosen, params)

    def fail_points(points: Any) -> Any:
        fail({"hardware": {"adc_bits": np.array([point.values["hardware.isaac.adc_bits"] for point in points])}})
        return cost(points)

    problem.cost, problem.costing.cost_columns = fail_points, fail_columns
    go(tmp_path, (problem, space))

    for row in rows_of(tmp_path):
        assert row["status"] == ("failed" if row["param.hardware.isaac.adc_bits"] == 5 else "done")
        assert ("no such converter" in (row["reason"] or "")) == (row["status"] == "failed")


def refuse(folder: Path, error: type[DseError], said: str, opened: Any = None, **options: Any) -> None:
    with pytest.raises(error) as caught:
        go(folder, opened or open_sweep(), **options)
    assert said in str(caught.value)


def test_what_a_sweep_cannot_do_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(tmp_path / "a", SpaceError, "endlessly many designs", open_sweep({"two-stage": {"cosine": {}}}))
    scored = open_sweep(constraints={"accuracy_drop": {"max": 1.0}})
    refuse(tmp_path / "b", SpaceError, "this limit needs one", scored)
    refuse(tmp_path / "c", SpaceError, "every objective needs one", open_sweep(objectives=["accuracy"]))
    refuse(tmp_path / "d", QueryError, "area_mm3", where="area_mm3 < 1")
    monkeypatch.setattr(folders, "ROW_BYTES", 10**18)
    refuse(tmp_path / "e", StudyError, "the disk cannot take this sweep")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    go(tmp_path, open_sweep(), designs=9)
    refuse(tmp_path, StudyError, "a change of sweep", designs=8)
    refuse(tmp_path, StudyError, "a change of space_hash", open_sweep(seed=4), designs=9)
    (tmp_path / "trials.parquet" / "part-000000.parquet").write_text("no table")
    refuse(tmp_path, StudyError, "remove this part", designs=9)
    (tmp_path / "sweep.json").write_text("{")
    refuse(tmp_path, StudyError, "the header is damaged", designs=9)
    (tmp_path / "log.jsonl").touch()
    refuse(tmp_path, StudyError, "this folder holds a study", designs=9)


def test_a_full_disk_stops_a_sweep_and_keeps_whole_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "PART", 10)
    write, calls = write_whole, iter(range(99))

    def full(path: Path, writer: Any) -> Path:
        if next(calls) == 2:
            raise StudyError("the disk is full", where=path)
        return write(path, writer)

    opened = open_sweep()
    with monkeypatch.context() as patch:
        patch.setattr(folders, "write_whole", full)
        refuse(tmp_path, StudyError, "the disk is full", opened)
    assert len(list((tmp_path / "trials.parquet").iterdir())) == 2
    assert go(tmp_path, opened).rows == len(rows_of(tmp_path))


def test_parts_of_designs_are_the_designs() -> None:
    _, space = open_sweep(
        {"isaac": {"adc_bits": {}}, "two-stage": {"max_bits": {}, "cosine": {"low": 0.8, "high": 0.9}}}
    )
    whole, parts = Designs(space, 200), Designs(space, 200)
    pieces = [block for first in range(0, 200, 30) for block in parts.find(first, min(30, 200 - first))]
    once = [block.point(place) for block in whole.find(0, 200) for place in range(len(block.numbers))]

    assert [block.point(place) for block in pieces for place in range(len(block.numbers))] == once
    assert len({point.key() for point in once}) == len(once)
