"""Validation: score designs, which were chosen on the search split, once on rows that no choice has seen.

The designs to score, and the rule that chose them, are logged before the first score.
"""

import datetime as dt
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import StudyError
from dse.files import write_whole
from dse.records.problem import Foresighted, Problem
from dse.results.columns import METRICS
from dse.results.files import LOG as STUDY_LOG
from dse.results.files import VALIDATION
from dse.results.objectives import of_reference
from dse.results.read import DAMAGE, damaged_table_error
from dse.results.rows import score_cells
from dse.results.status import Status
from dse.space.searchspace import SearchSpace
from dse.study.log.file import read_events
from dse.study.log.history import read_history
from dse.study.open import check_unchanged, hold, session_event
from dse.study.provenance import Provenance
from dse.study.tables import refresh
from dse.study.task_values import point_in

LOG = "validation.jsonl"
LEAST = {"area": ("array_area_ratio", "energy_uj"), "energy": ("energy_uj", "array_area_ratio")}
"""Costs that a design chosen for a target minimises, the second one where the first is equal."""
SLACK = 0.5
"""Points by which the upper end of the interval may exceed a target."""
CARRIED = ("trial", "source", "area_mm2", "energy_uj", "array_area_ratio", "writes")
INTERVALS = ("accuracy_drop_low.", "accuracy_drop_high.")
COMPARED = ("score_mean", "accuracy_drop", "accuracy_drop_low", "accuracy_drop_high")


@dataclass(frozen=True, slots=True)
class Validation:
    """A front on both splits.

    Attributes:
        rows: row per design that was scored now: ``trial``, ``source``, costs, ``search.<metric>`` and ``report.<metric>``, ``report.score.<task>``,
            and the ends of each task's interval on both splits.
        path: path of the rows as a parquet file.
        optimism: points by which drops on the search split were too good, on average.
        rule: rule by which designs were chosen, as logged before the first score.
        choice: trial chosen for the target; None without a target, or where no design reaches it on the search split.
        met: whether the choice meets the target on the report split; None without a choice.
    """

    rows: pd.DataFrame
    path: Path
    optimism: float
    rule: str
    choice: int | None = None
    met: bool | None = None


def validate(
    problem: Problem,
    space: SearchSpace,
    *,
    folder: Path | str,
    provenance: Provenance,
    target_drop: float | None = None,
    least: str = "area",
    chosen_only: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Validation:
    """Score a study's front on the report split.

    A target is met when the design chosen for it loses at most the target on the report split and the upper end of its
    interval at most half a point more.

    Args:
        problem: source of designs' scores.
        space: resolved search space of the study.
        folder: folder of the study.
        provenance: versions and hashes, which must be those of the study.
        target_drop: points that a design may lose; the chosen one keeps this limit, all resident, at the smallest cost ``least``.
        least: cost to minimise, ``area`` (of arrays) or ``energy``.
        chosen_only: whether to score only the chosen design of the front; designs that a profile proposed are scored too.
            The file then keeps the other designs that it has.
        progress: callback for the number of scored designs and their total.

    Raises:
        StudyError: the study does not exist, is running, was begun under other conditions, or was not scored.
    """
    folder = Path(folder)
    with hold(folder):
        tables = refresh(folder)
        history = read_history(read_events(folder / STUDY_LOG)[0], folder / STUDY_LOG)
        event = session_event(space, provenance, problem.components, history, [])
        check_unchanged(folder, history, event, force=False)
        front, others = _designs(*tables)
        choice, rule = choose(front, target_drop, least=least, chosen_only=chosen_only)
        if chosen_only:
            front = [row for row in front if row["trial"] == choice or row["source"] == "profile"]
        chosen = [*front, *others]
        if not chosen:
            raise StudyError(
                "there is nothing to validate",
                where=folder,
                expected="a design that keeps the --target-drop on the search split, or one that a profile proposed",
                found=f"none, with --target-drop {target_drop}" if target_drop is not None else "no --target-drop",
                fix="name a --target-drop, or a larger one, or validate the whole front",
            )
        _log(folder, {"event": "chosen", "rule": rule, "choice": choice, "trials": [row["trial"] for row in chosen]})
        problem.prepare(scores=True)
        if isinstance(problem, Foresighted):
            problem.expect([point_in(space, row) for row in chosen], "report")
        rows = []
        for index, row in enumerate(chosen, 1):
            rows.append(_score_design(problem, space, row))
            _log(folder, {"event": "scored", **rows[-1]})
            if progress is not None:
                progress(index, len(chosen))
        table = pd.DataFrame(rows)
        whole = _with_earlier(table, folder / VALIDATION) if chosen_only else table
        path = write_whole(folder / VALIDATION, lambda file: whole.to_parquet(file, index=False))
    optimism = float((table["report.accuracy_drop"] - table["search.accuracy_drop"]).mean())
    return Validation(table, path, optimism, rule, choice, _keeps_target(table, choice, target_drop))


def _with_earlier(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return scored designs, and the other designs of the file, which earlier validations scored; sorted by trial."""
    if not file.is_file():
        return table
    try:
        earlier = pd.read_parquet(file, use_threads=False)
        rows = pd.concat([earlier[~earlier["trial"].isin(table["trial"])], table], ignore_index=True)
    except DAMAGE as error:
        fix = "delete the file, and validate the study again"
        raise damaged_table_error(file, error, subject="the validation", fix=fix) from error
    return rows.sort_values("trial", ignore_index=True)


def _designs(trials: Path, pareto: Path) -> tuple[list[dict[Any, Any]], list[dict[Any, Any]]]:
    """Return the rows of the front, and of the designs that a profile proposed and that are not on the front."""
    front: list[dict[Any, Any]] = pd.read_parquet(pareto, use_threads=False).to_dict("records")
    if not front or any(pd.isna(row["accuracy_drop"]) for row in front):
        raise StudyError(
            "there is nothing to validate",
            where=pareto.parent,
            expected="designs on a front that were scored",
            found="none" if not front else "a study without accuracy",
        )
    everything = pd.read_parquet(trials, use_threads=False)
    proposed = everything[(everything["source"] == "profile") & (everything["status"] == Status.DONE)]
    return front, proposed[~proposed["on_front"].astype(bool)].to_dict("records")


def choose(
    front: list[dict[Any, Any]], target_drop: float | None, *, least: str = "area", chosen_only: bool = False
) -> tuple[int | None, str]:
    """Choose a trial for a target by the search split alone; return it and the rule."""
    which = "the design chosen" if chosen_only else "every design on the front of the search split"
    rule = f"{which}, and every design a profile proposed"
    if target_drop is None:
        return None, rule
    columns = [of_reference(name, front[0] if front else METRICS) for name in LEAST[least]]
    rule += (
        f"; for a drop of at most {target_drop:g} points: of those that keep it on the search split with the whole "
        f"interval and write nothing, the one with the smallest {' and then '.join(columns)}"
    )
    # The best of many designs looks better than it is on the rows that chose it, so the drop alone would not do.
    keepers = [row for row in front if row["accuracy_drop_high"] <= target_drop and row["writes"] == 0]
    best = min(keepers, key=lambda row: [row[name] for name in columns], default=None)
    return (None if best is None else int(best["trial"])), rule


def _score_design(problem: Problem, space: SearchSpace, row: Mapping[str, Any]) -> dict[str, Any]:
    score = problem.score(point_in(space, row), "report")
    cells: dict[str, Any] = {name: row[name] for name in CARRIED}
    cells |= {f"search.{name}": float(row[name]) for name in COMPARED}
    cells |= {f"report.{name}": float(score.metrics[name]) for name in COMPARED}
    cells |= {f"search.{name}": value for name, value in row.items() if name.startswith(INTERVALS)}
    by_task = {name: value for name, value in score_cells(score).items() if name.startswith(("score.", *INTERVALS))}
    return cells | {f"report.{name}": value for name, value in by_task.items()}


def _keeps_target(table: pd.DataFrame, choice: int | None, target_drop: float | None) -> bool | None:
    if choice is None or target_drop is None:
        return None
    row = table.set_index("trial").loc[choice]
    drop_fits = row["report.accuracy_drop"] <= target_drop
    return bool(drop_fits and row["report.accuracy_drop_high"] <= target_drop + SLACK)


def _log(folder: Path, event: Mapping[str, Any]) -> None:
    """Append one event and sync it to disk: the log must hold the choice before the scores."""
    line = json.dumps({"time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **event})
    try:
        with (folder / LOG).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StudyError(f"the validation cannot be recorded: {error.strerror}", where=folder / LOG) from error
