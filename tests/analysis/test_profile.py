"""The profiler measures each setting once, and its proposals are the best that what it measured allows."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.analysis.profile import MODES, MOST_SETTINGS, cheapest, cluster, profile, propose, rows_of, smooth
from dse.errors import SpaceError
from dse.records.callbacks import ignore_progress
from dse.records.design import DesignPoint, PluginParameter
from dse.records.parameters import Float, Int
from dse.records.scored import CostResult, ScoreResult
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.space.searchspace import default_point
from tests.support.fakes import FakeProblem, Formula, raw_space

TASKS = ("trec6", "tweet_sent", "sst2")
FRAGILE = {"trec6": 8.0, "tweet_sent": 1.0, "sst2": 0.9}
"""Points lost where nothing is kept."""
SHARE, KEPT = "compressor.two-stage.share", "generator.mgen.kept"
AREA, ENERGY = "array_area_ratio", "energy_ratio"
PARAMETERS = (
    PluginParameter(
        "compressor", "two-stage", Float(name="share", low=0.0, high=1.0, step=0.25, default=1.0, scope=("task",))
    ),
    PluginParameter("compressor", "two-stage", Int(name="bits", low=1, high=1, default=1, scope=("task",))),
)
GENERATED = PluginParameter(
    "generator", "mgen", Float(name="kept", low=0.5, high=1.0, step=0.25, default=1.0, scope=("task",))
)


def total(point: DesignPoint) -> float:
    return sum(point.values[SHARE])  # type: ignore[arg-type]


def cost_of_shares(point: DesignPoint) -> CostResult:
    share = total(point)
    return CostResult({AREA: 0.125 + share / 24, ENERGY: 2 - share / 3}, {}, {})


def score_of_shares(point: DesignPoint, split: str) -> ScoreResult:
    assert split == "search"
    shares = dict(zip(TASKS, point.values[SHARE], strict=True))  # type: ignore[arg-type]
    tasks = {name: 0.9 - FRAGILE[name] * (1 - float(shares[name])) ** 2 / 100 for name in TASKS}  # type: ignore[arg-type]
    return ScoreResult({}, tasks, baseline=dict.fromkeys(TASKS, 0.9))


SHARES = Formula(PARAMETERS, TASKS, 2, cost_of_shares, score_of_shares, components=("arrays",))
"""Arrays are the sum of shares, energy falls with them; what a task loses grows with the square of what is dropped."""


class Shares(FakeProblem):
    def __init__(self) -> None:
        super().__init__(SHARES)

    def layer_scores(self) -> tuple[tuple[float, ...], ...]:
        return tuple((0.9 - FRAGILE[name] / 200, 0.9) for name in TASKS)


def space(**parameters: Any) -> Any:
    raw = raw_space()
    raw |= {"generator": {"plugins": ["independent"]}, "scheduler": {"plugins": ["fixed"]}}
    raw["hardware"] = {"plugins": ["isaac"]}
    raw["compressor"] = {"plugins": ["two-stage"], "two-stage": {"parameters": parameters}}
    return resolve(parse(raw), PARAMETERS, TASKS, 2)


def measured(problem: Shares) -> Any:
    found = space()
    return profile(problem, found, default_point(found), ignore_progress), default_point(found)


def test_every_setting_is_scored_once_for_all_tasks() -> None:
    problem = Shares()
    bears, _ = measured(problem)

    assert [point.values[SHARE] for point in problem.scored] == [(share,) * 3 for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    np.testing.assert_allclose(bears.drops[0], [8 * (1 - share) ** 2 for share in (0, 0.25, 0.5, 0.75, 1)])
    np.testing.assert_allclose(bears.extra[AREA], np.tile([0, 0.25, 0.5, 0.75, 1], (3, 1)) / 24)
    np.testing.assert_allclose(bears.extra[ENERGY], np.tile([1, 0.75, 0.5, 0.25, 0], (3, 1)) / 3)
    np.testing.assert_allclose(bears.uniform[AREA], 0.125 + np.array([0, 0.75, 1.5, 2.25, 3]) / 24)
    np.testing.assert_allclose(bears.layers[:, 0], [4.0, 0.5, 0.45])
    np.testing.assert_allclose(bears.layers[:, 1], 0, atol=1e-12)


def test_tasks_that_bear_alike_share_a_cluster_and_the_fragile_one_comes_last() -> None:
    bears, _ = measured(Shares())

    assert bears.clusters[1] < bears.clusters[0]
    assert bears.clusters[2] < bears.clusters[0]
    assert set(cluster(np.zeros((4, 3)), np.zeros(4))) == {0}


def test_a_stated_drop_gives_the_fewest_arrays_that_keep_it() -> None:
    bears, start = measured(Shares())
    for max_drop in (0.0, 0.3, 1.0, 5.0):
        *_, best = propose(bears, start, [max_drop])
        allowed = [
            bears.extra[AREA][range(3), chosen].sum()
            for chosen in product(range(5), repeat=3)
            if bears.drops[range(3), chosen].mean() <= max_drop + 1e-9
        ]

        assert best.name == f"drop<={max_drop:g}"
        assert best.expected_drop <= max_drop + 1e-9
        assert bears.extra[AREA][range(3), best.chosen].sum() == pytest.approx(min(allowed))


def test_modes_cost_more_drop_and_fewer_arrays_one_after_the_other() -> None:
    bears, start = measured(Shares())
    proposals = propose(bears, start)

    assert [item.name for item in proposals] == list(MODES)
    arrays = [bears.extra[AREA][range(3), item.chosen].sum() for item in proposals]
    assert arrays == sorted(arrays, reverse=True)
    for item in proposals:
        assert item.expected_drop <= MODES[item.name] + 1e-9
        by_cluster = {bears.clusters[task]: pick for task, pick in enumerate(item.chosen)}
        assert [by_cluster[group] for group in bears.clusters] == list(item.chosen)
        assert item.point.values[SHARE] == tuple(bears.settings[pick][SHARE] for pick in item.chosen)


@given(st.integers(0, 100_000), st.integers(1, 4), st.integers(1, 5))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_the_dynamic_programme_equals_brute_force(seed: int, groups: int, options: int) -> None:
    rng = np.random.default_rng(seed)
    losses, extra = rng.integers(0, 300, (groups, options)) / 100, rng.random((groups, options))
    budget = float(rng.integers(0, 600)) / 100
    picked = cheapest(losses, extra, budget)
    budget = max(budget, losses.min(axis=1).sum())
    at = range(groups)
    allowed = [
        extra[at, chosen].sum()
        for chosen in product(range(options), repeat=groups)
        if losses[at, chosen].sum() <= budget + 1e-9
    ]

    assert losses[at, picked].sum() <= budget + 1e-9
    assert extra[at, picked].sum() == pytest.approx(min(allowed))


def test_noise_of_the_split_is_smoothed_away() -> None:
    drops = smooth(np.array([3.0, -1.0, 0.5, -0.5]), np.array([0.1, 0.2, 0.3, 0.4]))

    assert (drops >= 0).all()
    assert (np.diff(drops) <= 0).all()


def test_large_grids_are_thinned() -> None:
    fine = (
        PluginParameter("compressor", "two-stage", Float(name="share", low=0, high=1, default=1.0, scope=("task",))),
        PluginParameter("compressor", "two-stage", Int(name="bits", low=1, high=7, default=1, scope=("task",))),
    )
    raw = raw_space() | {"generator": {"plugins": ["independent"]}, "scheduler": {"plugins": ["fixed"]}}
    raw |= {"hardware": {"plugins": ["isaac"]}, "compressor": {"plugins": ["two-stage"]}}
    found = resolve(parse(raw), fine, TASKS, 2)
    bears = profile(Shares(), found, default_point(found), ignore_progress)

    assert len(bears.settings) == 25 <= MOST_SETTINGS
    assert {setting[SHARE] for setting in bears.settings} >= {0.0, 1.0}
    assert {setting["compressor.two-stage.bits"] for setting in bears.settings} >= {1, 7}


def test_what_a_generator_lets_each_task_choose_is_profiled_with_the_compressors_choices() -> None:
    raw = raw_space() | {"generator": {"plugins": ["mgen"]}, "scheduler": {"plugins": ["fixed"]}}
    raw |= {"hardware": {"plugins": ["isaac"]}, "compressor": {"plugins": ["two-stage"]}}
    found = resolve(parse(raw), (*PARAMETERS, GENERATED), TASKS, 2)
    start = default_point(found)
    bears = profile(Shares(), found, start, ignore_progress)

    assert {(setting[SHARE], setting[KEPT]) for setting in bears.settings} == set(
        product((0.0, 0.25, 0.5, 0.75, 1.0), (0.5, 0.75, 1.0))
    )
    assert rows_of(bears, TASKS)[0]["generator"] == "mgen"
    assert len(propose(bears, start)[0].point.values[KEPT]) == 3  # type: ignore[arg-type]  # one a task


def test_proposals_of_least_energy_spend_their_drop_on_energy() -> None:
    bears, start = measured(Shares())
    for_area, for_energy = (propose(bears, start, [1.0], least=least)[-1] for least in ("area", "energy"))

    assert total(for_energy.point) == 3  # here all shares are both the least energy and no drop
    assert total(for_area.point) < 3


def test_a_compressor_without_a_choice_for_each_task_is_refused() -> None:
    found = space(share=0.5)
    with pytest.raises(SpaceError, match="nothing to choose for each task") as caught:
        profile(Shares(), found, default_point(found), ignore_progress)
    assert "generator 'independent' and compressor 'two-stage'" in str(caught.value)
    assert "compressor.two-stage.parameters" in str(caught.value)


def test_rows_tell_settings_and_layers() -> None:
    bears, _ = measured(Shares())
    rows = rows_of(bears, TASKS)

    assert len(rows) == 3 * (5 + 2)
    assert rows[0]["param.compressor.two-stage.share"] == 0.0
    assert rows[0]["drop"] == pytest.approx(8.0)
    assert rows[0]["extra_energy_ratio"] == pytest.approx(1 / 3)
    assert rows[5] == {"task": "trec6", "generator": "independent", "compressor": "two-stage", "setting": None,
                       "cluster": rows[0]["cluster"], "layer": 0, "drop": pytest.approx(4.0)}  # fmt: skip
