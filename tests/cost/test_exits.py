"""What a plan may say of early exits, what they save, and that heads are those charged for."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.cost import Built, cost_points
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.exits import check_heads, measure_exits
from dse.cost.runs import count_runs
from dse.records.plugin import KINDS
from dse.testing import tiny_workload
from tests.support.workloads import geometry

LOAD = tiny_workload(3)
OWN = np.repeat(np.arange(1, 4)[None, :, None], 4, axis=2)


def planned(owner: Any, reach: Any, parameters: Any = 0) -> dse.Plan:
    reach = np.broadcast_to(np.asarray(reach, dtype=float), owner.shape)
    sizes = np.broadcast_to(np.asarray(parameters), owner.shape)
    return dse.Plan(owner, exits=dse.Exits(sizes, reach))


def runs(load: dse.Workload, plan: dse.Plan) -> Any:
    wanted = demand(load, plan, generator="test")
    return count_runs(load, wanted, dse.listed_order(load, wanted.points))[0]


def test_layers_are_charged_to_the_inputs_expected_to_run_them() -> None:
    reach = np.array([[[1.0, 1.0, 0.5, 0.25], [1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]]])
    rates = np.array([task.rate for task in LOAD.tasks])
    np.testing.assert_allclose(runs(LOAD, planned(OWN, reach)), reach * rates[None, :, None])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_a_shared_layer_runs_until_its_last_user_has_left(seed: int) -> None:
    draw = np.random.default_rng(seed)
    shared = tiny_workload(3, mode="shared")
    owner = draw.integers(0, 2, (1, 3, 4)) * np.arange(1, 4)[None, :, None]
    reach = np.sort(draw.random((1, 3, 4)), axis=-1)[..., ::-1]
    reach[..., 0] = 1.0
    here = draw.random((20_000, 3, 1)) < reach  # (inputs, tasks, layers): a task's input is still on its way
    expected = np.zeros(4)
    for layer in range(4):
        prefixes: dict[tuple[int, ...], Any] = {}
        for task in range(3):
            key = tuple(owner[0, task, : layer + 1])
            prefixes[key] = prefixes.get(key, False) | here[:, task, layer]
        expected[layer] = sum(np.mean(any_here) for any_here in prefixes.values())
    np.testing.assert_allclose(runs(shared, planned(owner, reach))[0].sum(axis=0), expected, atol=0.02)


def test_heads_are_asked_by_the_inputs_that_reach_them() -> None:
    """Every head takes SRAM; inputs that left ask neither pooler nor classifier of the end."""
    reach = np.array([[[1.0, 1.0, 0.5, 0.25], [1.0, 1.0, 1.0, 1.0], [1.0, 0.5, 0.5, 0.5]]])
    owner = OWN.copy()
    owner[0, 2, 1] = dse.DROPPED
    wanted = demand(LOAD, planned(owner, reach, [[[0, 70, 30, 0], [0, 0, 0, 0], [0, 0, 20, 0]]]), generator="test")
    heads = [task.head_parameters for task in LOAD.tasks]
    counts = count(LOAD, wanted, dse.whole_footprint(wanted), geometry())
    np.testing.assert_array_equal(counts.head_bits, 16 * np.array([[0, heads[0] + 100, heads[1], heads[2] + 20]]))
    asked = [0.25 * heads[0] + 70 + 0.5 * 30, heads[1], 0.5 * heads[2] + 0.5 * 20]
    np.testing.assert_allclose(counts.head_macs, [asked])
    states = [task.tokens * LOAD.encoder.hidden for task in LOAD.tasks]
    np.testing.assert_allclose(counts.head_sums, [[1.5 * states[0], 0, 0.5 * states[2]]])


def test_hardware_of_contract_1_is_refused_where_inputs_leave_early() -> None:
    """It would charge heads a second time, or not at all."""

    class Leaves(dse.plugin.Base):
        def plan(self, *_: Any) -> dse.Plan:
            return planned(OWN, 1.0)

    leaves, other = cast("dse.ModelGenerator", Leaves()), cast("Any", None)  # the others are not asked before
    built = Built(("leaves", "none", "fixed", "old"), leaves, other, other, other, api=1)
    with pytest.raises(dse.PluginContractError, match=r"hardware 'old' is written for contract 1[\s\S]*head_macs"):
        cost_points(LOAD, built, {kind: dse.Params(1, {}) for kind in KINDS})


def test_without_exits_nothing_changes() -> None:
    for mode in ("shared", "independent"):
        load = tiny_workload(3, mode=mode)
        np.testing.assert_array_equal(runs(load, planned(OWN, 1.0)), runs(load, dse.Plan(OWN)))


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (dse.Plan(OWN, exits=dse.Exits(np.zeros((1, 3, 3), int), np.ones((1, 3, 3)))), "do not fit the plan"),
        (planned(OWN, np.nan), "do not fit the plan"),
        (planned(OWN, -1.0), "do not fit the plan"),
        (planned(OWN, [1.0, 0.5, 0.6, 0.5]), "more inputs at a layer than at the layer before"),
        (planned(OWN, 1.5), "more inputs at a layer than at the layer before"),
        (planned(np.full((1, 3, 4), dse.DROPPED), 1.0, 5), "after a layer that does not run"),
    ],
)
def test_what_cannot_be_is_refused(plan: dse.Plan, message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=message):
        demand(LOAD, plan, generator="test")


def test_heads_are_those_the_plan_is_charged_for() -> None:
    head = dse.ExitHead(torch.zeros(2, 64), torch.zeros(2), 0.9)
    plan = planned(OWN, 1.0, np.where(np.arange(4) == 1, 130, 0))
    check_heads(plan, 0, {1: head}, generator="test")
    check_heads(dse.Plan(OWN), 0, {}, generator="test")
    for wrong in ({}, {2: head}, {1: dse.ExitHead(torch.zeros(3, 64), torch.zeros(3), 0.9)}):
        with pytest.raises(dse.PluginContractError, match="heads of early exits that differ"):
            check_heads(plan, 0, wrong, generator="test")
    with pytest.raises(dse.PluginContractError, match="heads of early exits that differ"):
        check_heads(dse.Plan(OWN), 0, {1: head}, generator="test")


def test_what_inputs_did_in_scoring_takes_the_place_of_what_was_expected() -> None:
    owner = np.array([[[1, -1, 1], [2, 2, 2], [3, 3, 3]]])
    expected = np.ones((1, 3, 3))
    expected[0, :, 2] = 0.5
    planned_exits = dse.Exits(np.zeros((1, 3, 3), int), expected)
    plan = dse.Plan(owner, exits=planned_exits)
    load = tiny_workload(3, layers=3)

    found = measure_exits(plan, load, {"task0": (1.0, 0.0, 0.25)})

    assert found.exits is not None
    assert found.exits.reach[0].tolist() == [[1.0, 1.0, 0.25], [1.0, 1.0, 0.5], [1.0, 1.0, 0.5]]
    assert planned_exits.reach[0, 0, 2] == 0.5  # the plugin's own array stays
    assert measure_exits(plan, load, {}) is plan
    assert measure_exits(dse.Plan(owner), load, {"task0": (1.0, 0.0, 0.25)}).exits is None
