"""Designs that a study evaluates first: proposals of a profile, or a front."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import StudyError
from dse.records.design import DesignPoint
from dse.records.plugin import KINDS, Kind
from dse.results.points import PREFIX, PROFILED, point_of, tasks_of
from dse.results.read import DAMAGE
from dse.space.searchspace import SearchSpace, default_point, snap
from dse.study.task_values import point_in

if TYPE_CHECKING:
    import pandas as pd


PROFILE = "profile.parquet"
PROPOSALS = "proposals.parquet"


def read_rows(path: Path | str) -> list[dict[str, Any]]:
    """Read the rows of a parquet or CSV file that holds designs.

    Raises:
        StudyError: the file is missing, damaged, or holds no designs with their parameters.
    """
    try:
        rows = _csv_rows(Path(path)) if Path(path).suffix.lower() == ".csv" else _parquet_rows(Path(path))
        for row in rows:
            point_of(row)
        if not rows or not any(name.startswith(PREFIX) for name in rows[0]):
            raise ValueError("no designs" if not rows else f"no column {PREFIX}*")
    except (*DAMAGE, csv.Error) as error:
        raise StudyError(
            "there are no designs to start from",
            where=path,
            expected="proposals.parquet of `dse profile`, pareto.parquet of a study, or a file of `dse pareto --out`",
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    return rows


def starting_points(rows: Sequence[Mapping[str, Any]], space: SearchSpace) -> tuple[list[DesignPoint], list[str]]:
    """Return the designs of some rows in a study, and sentences on tasks that rows and study do not share.

    Args:
        rows: rows of `read_rows`; values that they hold per task go to the study's tasks by name.
        space: resolved search space of the study.
    """
    notes = []
    named = {tuple(tasks_of(row)) for row in rows}
    if () in named:
        notes.append("designs to start from do not name their tasks: they are read in the order of this study's tasks")
    lacking = [task for task in space.tasks if any(tasks and task not in tasks for tasks in named)]
    if lacking:
        notes.append(f"designs to start from lack values of {', '.join(lacking)}, which take the space's defaults")
    if unused := sorted(set().union(*named) - set(space.tasks)):
        notes.append(f"values of {', '.join(unused)} are left out: this study does not have these tasks")
    return [point_in(space, row) for row in rows], notes


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    with path.open("rb") as file:  # one open file, since a running study may replace it
        return [*pq.ParquetFile(file).read(use_threads=False).to_pylist()]


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    """Read a CSV file, in which lists are written as JSON."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _read_cell(text) for name, text in row.items() if name} for row in csv.DictReader(file)]


def _read_cell(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def profiled_rows(path: Path | str, space: SearchSpace) -> list[dict[str, Any]]:
    """Read the measurements of a profile, one row per design that gives every task the same setting.

    Args:
        path: path of the proposals, beside which the profile lies. The result is empty without a profile, and if the
            profile lacks a task of the study.
        space: search space of the study.

    Raises:
        StudyError: the profile is damaged, or belongs to another space.
    """
    import pandas as pd

    path = Path(path).with_name(PROFILE)
    if not path.exists():
        return []
    try:
        table = pd.read_parquet(path, use_threads=False)
        table = table[table["task"].isin(space.tasks)]
        if set(table["task"]) < set(space.tasks):
            return []
        return [_profiled_row(group, space) for _, group in table[table["setting"].notna()].groupby("setting")]
    except DAMAGE as error:
        raise StudyError(
            "the profile cannot be used in this study",
            where=path,
            expected="a profile that `dse profile` wrote for the same space",
            found=f"{type(error).__name__}: {error}".splitlines()[0],
            fix="profile the space again",
        ) from error


def _profiled_row(of_setting: pd.DataFrame, space: SearchSpace) -> dict[str, Any]:
    """Return one setting of a profile as a trial's values by column."""
    from dse.analysis.profile import per_task

    first, scores = of_setting.iloc[0], dict(zip(of_setting["task"], of_setting["score"], strict=True))
    chosen: dict[Kind, str] = {"generator": str(first["generator"]), "compressor": str(first["compressor"])}
    point = default_point(space, **chosen)
    values = {
        item.declared.full_name: snap(item, [first[f"param.{item.declared.full_name}"]] * len(item.elements))
        for kind, name in chosen.items()
        for item in per_task(space, kind, name)
    }
    return {
        "status": PROFILED,
        **design_cells(replace(point, values={**point.values, **values})),
        **{f"score.{task}": float(scores[task]) for task in space.tasks},
        "score_mean": float(of_setting["score"].mean()),
        "accuracy_drop_all": float(of_setting["drop"].mean()),
    }


def design_cells(point: DesignPoint) -> dict[str, object]:
    """Return a design as columns of a result file."""
    plugins: dict[str, object] = {kind: point.plugin(kind) for kind in KINDS}
    return plugins | {f"param.{name}": json.loads(json.dumps(value)) for name, value in point.values.items()}
