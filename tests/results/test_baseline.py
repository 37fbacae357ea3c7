"""The baseline that trials tell of, against the one they were made from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.results.baseline import agreed_values, baseline_metrics, baseline_scores, best_metrics

BASE = {"a": 0.9, "b": 0.7, "c": 0.5}
METRICS = {"area_mm2": 160.0, "energy_uj": 560.0, "latency_us": 155.0}


def trials(scores: list[dict[str, float]], status: str = "done") -> pd.DataFrame:
    """Trials of given scores, as a study keeps them."""
    rows = []
    for number, each in enumerate(scores):
        lost = [100 * (BASE[task] - score) for task, score in each.items()]
        ratio = 0.3 + number / 10
        rows.append(
            {
                "status": status,
                "score_mean": np.mean(list(each.values())),
                "accuracy_drop_all": np.mean(lost),
                "accuracy_drop_worst": max(lost),
                **{f"score.{task}": score for task, score in each.items()},
                **{name: value * ratio for name, value in METRICS.items()},
                **{name.split("_")[0] + "_ratio": ratio for name in METRICS},
            }
        )
    return pd.DataFrame(rows)


def test_the_baseline_itself_settles_every_task() -> None:
    assert baseline_scores(trials([BASE])) == pytest.approx(BASE)


def test_trials_in_which_each_task_is_once_the_worst_settle_them() -> None:
    scores = [BASE | {task: value - 0.1} for task, value in BASE.items()]
    assert baseline_scores(trials(scores)) == pytest.approx(BASE)
    assert baseline_scores(trials(scores[:2])) == {}


@given(st.lists(st.tuples(*[st.floats(0.0, 0.3)] * 3), min_size=1, max_size=8))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_what_is_said_is_never_wrong(lost: list[tuple[float, float, float]]) -> None:
    scores = [{task: BASE[task] - drop for task, drop in zip(BASE, drops, strict=True)} for drops in lost]
    found = baseline_scores(trials(scores))
    assert found == {} or found == pytest.approx(BASE, abs=1e-7)


def test_what_was_not_done_or_not_scored_says_nothing() -> None:
    assert baseline_scores(trials([BASE], status="failed")) == {}
    assert baseline_metrics(trials([BASE], status="failed")) == {}
    unscored = trials([BASE]).assign(score_mean=np.nan, accuracy_drop_all=np.nan, accuracy_drop_worst=np.nan)
    assert baseline_scores(unscored) == {}
    assert baseline_metrics(unscored) == pytest.approx(METRICS)


def test_metrics_are_those_that_ratios_are_taken_to() -> None:
    found = baseline_metrics(trials([BASE, {task: value - 0.1 for task, value in BASE.items()}]))
    assert found == pytest.approx(METRICS | {"score_mean": 0.7})


def test_trials_that_contradict_each_other_tell_nothing() -> None:
    told = trials([BASE, BASE])
    told["area_mm2"] *= [1, 1.01]
    told["accuracy_drop_all"] += [0, 1.0]
    assert set(baseline_metrics(told)) == {"energy_uj", "latency_us"}
    assert baseline_scores(told) == {}


def test_columns_of_the_baseline_settle_every_task_unless_trials_disagree() -> None:
    losing = trials([{task: value - 0.1 for task, value in BASE.items()}, BASE | {"a": 0.8}])[:1]
    assert baseline_scores(losing.drop(columns="accuracy_drop_worst").assign(accuracy_drop_worst=30.0)) == {}
    named = losing.assign(**{f"baseline.{task}": value for task, value in BASE.items()})
    assert baseline_scores(named) == BASE
    assert agreed_values(named.assign(**{"chance.a": 0.5}), "chance.") == {"a": 0.5}
    forced = pd.concat([named, named.assign(**{"baseline.a": 0.8})])
    assert agreed_values(forced, "baseline.") == {}
    assert agreed_values(losing, "baseline.") == {}


def test_the_best_baseline_is_told_by_its_own_ratios_on_one_hardware() -> None:
    two = trials([BASE, BASE])
    assert best_metrics(two) == {}  # tables of edition 1
    two = two.assign(area_ratio_best=2 * two["area_ratio"], energy_ratio_best=[0.3, 0.6])
    assert best_metrics(two) == pytest.approx({"area_mm2": METRICS["area_mm2"] / 2})
