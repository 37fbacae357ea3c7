"""Designs to start from: values per task go to tasks by name, whatever file holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dse
from dse.cli.output import Format, write_front
from dse.errors import SpaceError, StudyError
from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from dse.study.log.file import read_events
from dse.study.log.history import read_history
from dse.study.start import profiled_rows, read_rows, starting_points
from dse.study.task_values import point_in
from tests.support.fakes import LAYERS, PARAMETERS, TASKS, FakeProblem, fake_space, raw_space
from tests.support.studies import go

MOVED = (TASKS[2], TASKS[0], TASKS[1])
ENDINGS = ("parquet", "csv")


def space_of(*tasks: str) -> SearchSpace:
    return resolve(parse(raw_space()), PARAMETERS, tasks, LAYERS)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "study"
    go(folder, fake_space(trials=30))
    return folder


@pytest.fixture(scope="module")
def front(study: Path) -> Path:
    """The front in both forms that `dse pareto --out` writes for programs."""
    for ending in ENDINGS:
        write_front(dse.pareto(study), Format(ending), out=study / f"front.{ending}")
    return study


def by_task(point: DesignPoint, tasks: tuple[str, ...]) -> dict[str, Any]:
    """Values of a design, those per task by the task's name."""
    values: dict[str, Any] = {}
    for name, value in point.values.items():
        if name.endswith(".order"):
            values[name] = [tasks[int(index)] for index in value]  # type: ignore[union-attr, arg-type]
        elif name.endswith((".depth", ".mask")):
            values[name] = dict(zip(tasks, value, strict=True))  # type: ignore[arg-type]
        else:
            values[name] = value
    return values


@pytest.mark.parametrize("name", ["pareto.parquet", "front.parquet", "front.csv"])
def test_a_front_of_several_plugins_starts_a_study_with_its_tasks_in_another_order(front: Path, name: str) -> None:
    rows = read_rows(front / name)
    same, _ = starting_points(rows, space_of(*TASKS))
    moved, notes = starting_points(rows, space_of(*MOVED))
    assert notes == []
    assert len({point.compressor for point in same}) == len({point.scheduler for point in same}) == 2
    assert [by_task(point, MOVED) for point in moved] == [by_task(point, TASKS) for point in same]
    trials = pd.read_parquet(front / "trials.parquet").set_index("trial").loc[[row["trial"] for row in rows]]
    assert [FakeProblem().cost([point])[0].metrics["area_mm2"] for point in same] == trials["area_mm2"].tolist()
    for space, points in ((space_of(*TASKS), same), (space_of(*MOVED), moved)):
        assert [Codec(space).decode(Codec(space).encode(point)) for point in points] == points


def test_a_task_without_values_takes_the_default_and_one_line_says_so(front: Path) -> None:
    rows = [row for row in read_rows(front / "pareto.parquet") if row["generator"] == "shared-prefix"]
    points, notes = starting_points(rows, space_of("new", TASKS[1]))
    assert notes == [
        "designs to start from lack values of new, which take the space's defaults",
        f"values of {TASKS[2]}, {TASKS[0]} are left out: this study does not have these tasks",
    ]
    depth = "generator.shared-prefix.depth"
    assert [point.values[depth] for point in points] == [(0, row[f"param.{depth}"][1]) for row in rows]


def test_a_file_that_names_no_tasks_is_read_in_order_with_a_line(front: Path) -> None:
    rows = [
        {name: value for name, value in row.items() if name != "tasks" and not name.startswith("score.")}
        for row in read_rows(front / "pareto.parquet")
    ]
    points, notes = starting_points(rows, space_of(*TASKS))
    assert points == starting_points(read_rows(front / "pareto.parquet"), space_of(*TASKS))[0]
    assert len(notes) == 1
    assert "do not name their tasks" in notes[0]
    shorter = starting_points(rows, space_of(*TASKS[:2]))[0]
    codec = Codec(space_of(*TASKS[:2]))
    refused = next(point for point in shorter if point.generator == "shared-prefix")
    with pytest.raises(SpaceError, match=r"where: generator\.shared-prefix\.depth\n  expected: 2 values"):
        codec.encode(
            replace(refused, scheduler="fixed", values={k: v for k, v in refused.values.items() if "order" not in k})
        )


def test_an_old_table_names_its_tasks_by_its_columns(front: Path) -> None:
    (row, *_) = (row for row in read_rows(front / "pareto.parquet") if row["generator"] == "shared-prefix")
    old = {name: value for name, value in row.items() if name != "tasks"}
    assert point_in(space_of(*MOVED), old) == point_in(space_of(*MOVED), row)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("x.parquet", b"no parquet", "magic bytes"),
        ("x.csv", b"generator,compressor\nindependent,none\n", "scheduler"),
        ("x.csv", b"generator,compressor,scheduler,hardware\na,b,c,d\n", r"no column param\.\*"),
        ("x.csv", b"generator,compressor,scheduler,hardware\n", "no designs"),
        ("x.csv", b"\xff\xfe", "decode"),
    ],
)
def test_a_file_without_designs_is_refused_before_anything_is_loaded(
    tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StudyError, match=rf"no designs to start from[\s\S]*pareto --out[\s\S]*{found}"):
        read_rows(tmp_path / name)


def test_a_study_that_goes_on_with_its_tasks_in_another_order_knows_its_designs(tmp_path: Path) -> None:
    go(tmp_path, fake_space(trials=12))
    history = read_history(read_events(tmp_path / "log.jsonl")[0], tmp_path / "log.jsonl")
    assert history.tasks == [list(TASKS)]
    first = pd.read_parquet(tmp_path / "pareto.parquet").to_dict("records")
    points = starting_points(first, space_of(*MOVED))[0]  # type: ignore[arg-type]
    go(tmp_path, space_of(*MOVED), trials=13, force=True, enqueue=points)
    later = pd.read_parquet(tmp_path / "trials.parquet").iloc[12:]
    assert "enqueued" not in set(later["source"])
    assert [tuple(tasks) for tasks in later["tasks"]] == [MOVED] * len(later)


def test_a_profile_of_more_tasks_is_used_for_those_of_the_study(tmp_path: Path) -> None:
    rows = [
        {
            "task": task, "setting": 0, "score": 0.5 + index / 10, "drop": float(index), "generator": "shared-prefix",
            "compressor": "none", "param.generator.shared-prefix.depth": 1,
        }
        for index, task in enumerate(TASKS)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "profile.parquet")
    (row,) = profiled_rows(tmp_path / "proposals.parquet", space_of(*TASKS[1:]))
    assert (row["score_mean"], row["accuracy_drop_all"]) == (pytest.approx(0.65), 1.5)
    assert row["param.generator.shared-prefix.depth"] == [1, 1]
    assert profiled_rows(tmp_path / "proposals.parquet", space_of("new", *TASKS)) == []
