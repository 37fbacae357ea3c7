"""One row a task and layer, with what was measured; what was measured once is not measured again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dse
from dse.analysis.redundancy import effects, redundancy, similar
from dse.cache import ArrayCache
from dse.records.callbacks import ignore_progress
from dse.records.effective import Effective
from dse.score.build import build_problem
from dse.score.problem import WorkloadProblem
from dse.space.file import load

ROWS = 30


def measured(problem: WorkloadProblem) -> pd.DataFrame:
    return redundancy(problem, ROWS, ignore_progress)


def test_every_task_and_layer_has_a_row_and_every_column_a_value(problem: WorkloadProblem) -> None:
    table = measured(problem)

    assert table[["task", "layer"]].values.tolist() == [["verdict", 0], ["verdict", 1], ["rating", 0], ["rating", 1]]
    assert list(table.columns) == [
        *("task", "layer", "base_cka", "tasks_cka", "base_cosine", "tasks_cosine"),
        *("heads_half_share", "heads_below_1pct", "ffn_half_share", "ffn_below_1pct", "exit_agrees", "exit_leaves"),
        *("skipped_drop", "of_base_drop"),
        *("cka.verdict", "cka.rating", "cosine.verdict", "cosine.rating"),
    ]
    read_off = table.set_index(["task", "layer"])[["exit_agrees", "exit_leaves"]]
    assert read_off.loc[[("verdict", 0)]].notna().all(axis=None)
    assert (
        read_off.drop(("verdict", 0)).isna().all(axis=None)
    )  # the last layer answers itself; a regression is never sure
    assert table.drop(columns=["exit_agrees", "exit_leaves"]).notna().all(axis=None)
    assert table["heads_half_share"].between(0, 0.5).all()
    assert table["ffn_below_1pct"].between(0, 64).all()
    assert str(table.dtypes["heads_below_1pct"]) == "Int64"


def test_with_two_tasks_the_other_tasks_are_the_other_task(problem: WorkloadProblem) -> None:
    table: Any = measured(problem).set_index(["task", "layer"])

    for name in ("cka", "cosine"):
        for task, other in (("verdict", "rating"), ("rating", "verdict")):
            np.testing.assert_allclose(table.loc[task, f"tasks_{name}"], table.loc[task, f"{name}.{other}"])
            np.testing.assert_allclose(table.loc[task, f"{name}.{task}"], 1)


def test_three_tasks_are_averaged_without_the_task_itself(problem: WorkloadProblem) -> None:
    between = np.arange(16.0).reshape(4, 4, 1)
    between += between.transpose(1, 0, 2)
    fake: Any = type("Fake", (), {})()
    fake.tasks, fake.layers = ("a", "b", "c"), 1
    fake.workload = replace(
        problem.workload,
        digests={"base": "x", **{f"{part}.{name}": name for part in ("task", "data") for name in "abc"}},
    )
    fake.context = type("Context", (), {"similarity": lambda _self, _rows: {"cka": between, "cosine": between}})()
    fake.context.arrays = type("Arrays", (), {"find_or_make": lambda _self, _kind, _key, make: make()})()

    columns = similar(fake, ROWS)

    assert columns["base_cka"].ravel().tolist() == between[1:, 0].ravel().tolist()
    assert columns["tasks_cka"].ravel().tolist() == [
        between[one, [at for at in (1, 2, 3) if at != one]].mean() for one in (1, 2, 3)
    ]


def test_a_single_task_has_no_others(tiny_space: Path, cache: Path) -> None:
    space = load(tiny_space)
    alone = space.model_copy(update={"workload": {**space.workload, "tasks": space.workload["tasks"][:1]}})
    table = measured(build_problem(alone, dse.Registry().discover(), cache=cache, device="cpu"))

    assert table["tasks_cka"].isna().all()
    assert table["tasks_cosine"].isna().all()
    assert table["base_cka"].notna().all()


def test_skipping_a_layer_and_the_bases_layer_score_as_made_by_hand(problem: WorkloadProblem) -> None:
    found, context = effects(problem), problem.context
    base = context.base_weights()
    for task in range(2):

        def score(weights: Any, owners: list[int], task: int = task) -> float:
            whole = {key: dse.quantise(w, dse.best_scale(w)) * dse.best_scale(w) for key, w in weights.items()}
            return context.evaluate(task, Effective(whole), "search", 8, np.array(owners)).value

        own = dict(context.task_weights(task))
        baseline = score(own, [task + 1] * 2)
        for layer in range(2):
            skipped = [dse.DROPPED if at == layer else task + 1 for at in range(2)]
            other = own | {key: weight for key, weight in base.items() if key[0] == layer}
            assert found["skipped_drop"][task, layer] == pytest.approx(100 * (baseline - score(own, skipped)))
            assert found["of_base_drop"][task, layer] == pytest.approx(100 * (baseline - score(other, [task + 1] * 2)))
    assert np.abs(found["skipped_drop"]).max() > 0


def test_a_second_call_measures_nothing(problem: WorkloadProblem, tiny_space: Path, cache: Path) -> None:
    first = measured(problem)
    told: list[str] = []
    again = build_problem(load(tiny_space), dse.Registry().discover(), cache=cache, device="cpu")

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("measured again")

    again.context.similarity = again.context.observe = again.context.evaluate = never  # type: ignore[method-assign]
    table = redundancy(again, ROWS, lambda text, _share: told.append(text))

    pd.testing.assert_frame_equal(table, first)
    assert told == []
    assert again._scorer.evaluated == 0


def test_other_rows_are_measured_anew_and_the_same_rows_give_the_same(
    problem: WorkloadProblem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = measured(problem)
    few = redundancy(problem, 4, ignore_progress)
    monkeypatch.setattr(problem.context, "arrays", ArrayCache(tmp_path))
    fresh = measured(problem)

    pd.testing.assert_frame_equal(fresh, kept)
    assert (few["base_cka"] != kept["base_cka"]).all()
    assert (few["ffn_half_share"] != kept["ffn_half_share"]).all()
    assert (few["skipped_drop"] == kept["skipped_drop"]).all()


def test_progress_names_the_task(problem: WorkloadProblem) -> None:
    told: list[tuple[str, float | None]] = []
    redundancy(problem, 7, lambda text, share: told.append((text, share)))

    assert told == [
        ("importance of heads and columns in verdict", 0),
        ("importance of heads and columns in rating", 0.5),
        ("early exits of verdict", 0),
        ("early exits of rating", 0.5),
    ]
