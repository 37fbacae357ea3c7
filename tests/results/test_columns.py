"""Every declared column is filled by somebody, and nothing is filled that is not declared."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

import dse
from dse.cost.cost import Costed
from dse.cost.metrics import cost_results, cost_table
from dse.cost.own_baseline import TOTALS
from dse.cost.sum import Costs
from dse.records.counts import Counts
from dse.records.plugin import KINDS
from dse.records.schedule import Schedule
from dse.records.scored import CostResult, ScoreResult
from dse.results.columns import COST_NAMES, IDENTITY, RECORD, SCORE_NAMES, study_columns
from dse.results.rows import cost_cells, score_cells
from dse.score.context import Outcome
from dse.score.metrics import summary

ROOT = Path(dse.__file__).parent
WRITERS = ("study/loop.py", "study/stages.py", "study/tables.py", "results/writer.py")
"""Modules that put together rows of trials."""


def cost() -> CostResult:
    """Cost one point that takes 1 of everything."""
    values: dict[str, Any] = {field.name: np.ones(1) for field in fields(Costs)}
    matrices: dict[str, Any] = {name: np.ones((1, 1)) for name in ("area", "energy", "visit_us", "switch_us")}
    names = (
        "throughput_rps",
        "load",
        "wait_mean_us",
        "wait_bound_us",
        "tops",
        "tops_per_w",
        "tops_per_mm2",
        "edp",
        "edap",
        "static_w",
        "arrays",
        "tiles",
        "utilisation",
    )
    service = {"service": dict.fromkeys(names, np.ones(1)), "capacity": None}
    costs = Costs(**values | matrices | service | {"names": ("arrays",), "order": np.zeros((1, 1), int)})
    counts = Counts(**{field.name: np.ones((1, 1, 1)) for field in fields(Counts)})
    schedule = Schedule(np.zeros((1, 1), int), np.ones((1, 1)))
    nothing: Any = None
    costed = Costed(costs, np.zeros(1), [()], schedule, counts, nothing, nothing, nothing)
    (found,) = cost_results(
        cost_table(costed, dict.fromkeys(("", "_best"), dict.fromkeys(TOTALS, np.ones(1))), costs), ["a"]
    )
    return found


def score() -> ScoreResult:
    """Score one point on two chips of cells that are not ideal, with real ADCs and early exits."""
    outcome = Outcome(0.5, flagged=False, predictions=np.ones(2), reach=(0.75, 0.25))
    noisy = dse.Nonideality(cell_model="wan22", draws=2, adc="real")
    return summary(
        {"a": (outcome, outcome)}, {"a": outcome}, {"a": 0.0}, lambda _name, _of: np.ones(3), noisy, 1, {"a": 1.0}
    )


def keys_written() -> set[str]:
    """Return every text that is a key of a dictionary in the modules that put rows together."""
    trees = [ast.parse((ROOT / name).read_text(encoding="utf-8")) for name in WRITERS]
    keys = [key for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    stores = [
        node.slice
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    ]
    return {key.value for key in (*keys, *stores) if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def test_each_metric_of_a_cost_is_declared_and_filled() -> None:
    assert list(cost().metrics) == list(COST_NAMES)


def test_each_metric_of_a_score_is_declared_and_filled() -> None:
    assert set(score().metrics) == set(SCORE_NAMES)


def test_each_column_of_a_row_is_filled_by_somebody() -> None:
    filled = set(cost_cells(cost())) | set(score_cells(score())) | keys_written() | set(KINDS)
    assert {column.name for column in (*IDENTITY, *RECORD)} <= filled


def test_each_cell_of_costs_and_scores_has_a_column() -> None:
    declared = {column.name for column in study_columns((), ("a",), cost().area)}
    assert set(cost_cells(cost())) | set(score_cells(score())) <= declared
