"""Shared trunks: which layers run, whose they are, and what is trained from what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.trained import Trained as MGen
from dse_plugins.generators.mgen.trained import spread
from dse_plugins.generators.mtl_shared import Shared, SharedOptions

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.sum import total
from dse.testing import TinyContext, tiny_workload
from dse.testing.workloads import tiny_components
from tests.support.workloads import geometry, workload

LOAD = tiny_workload(3)


class Recording(TinyContext):
    """Remembers what was asked to be trained."""

    def __init__(self, load: dse.Workload) -> None:
        super().__init__(load)
        self.asked: list[dse.Training] = []

    def trained(self, training: dse.Training) -> dse.Model:
        self.asked.append(training)
        return super().trained(training)


def params(layers: int, own: Any) -> dse.Params:
    return dse.Params(1, {"layers": np.array([layers]), "own": np.array([own]), "heads": np.ones(1), "ffn": np.ones(1)})


@pytest.mark.parametrize("layers", range(1, 13))
def test_layers_that_run_are_spread_over_the_encoder(layers: int) -> None:
    for kept in range(1, layers + 1):
        found = spread(layers, kept)

        assert len(set(found)) == kept
        assert list(found) == sorted(found)
        assert found[-1] == layers - 1
        assert kept == 1 or found[0] == 0


def test_the_trunk_is_shared_and_branches_are_not() -> None:
    plan = MGen(MGenOptions()).plan(LOAD, params(3, [0, 1, 2]))

    assert spread(4, 3) == (0, 2, 3)
    np.testing.assert_array_equal(plan.owner, [[[0, -1, 0, 0], [0, -1, 0, 2], [0, -1, 3, 3]]])


def test_a_batch_of_plans_is_what_its_points_are_alone() -> None:
    ones = {"heads": np.ones(2), "ffn": np.ones(2)}
    given = dse.Params(2, {"layers": np.array([4, 2]), "own": np.array([[0, 1, 4], [2, 0, 1]]), **ones})
    plan = MGen(MGenOptions()).plan(LOAD, given)
    for point in range(2):
        alone = MGen(MGenOptions()).plan(LOAD, params(int(given["layers"][point]), given["own"][point]))
        np.testing.assert_array_equal(plan.owner[point], alone.owner[0])


def test_branches_go_on_from_the_trunk_and_leave_what_lies_beneath() -> None:
    context = Recording(LOAD)
    plugin = MGen(MGenOptions(distil=0.25))
    for owner in (dse.BASE, 3):
        plugin.weights(context, params(3, [0, 1, 2]), owner)
    trunk, branch = context.asked

    assert trunk == dse.Training((0, 1, 2), (0, 2, 3), merged=True, distil=0.25, across=0.3)
    assert branch == dse.Training((2,), (0, 2, 3), frozen=1, start=trunk, distil=0.25)


def test_several_trunks_carry_their_own_tasks() -> None:
    plugin, context = MGen(MGenOptions(trunks=2)), Recording(LOAD)
    given = dse.Params(1, {"layers": np.array([4]), "own": np.array([[0, 1, 0]]), "trunk": np.array([[0, 1, 1]])})
    plan = plugin.plan(LOAD, given)
    for owner in (0, 1, 3):
        plugin.weights(context, given, owner)
    first, second, branch = context.asked

    assert plan.groups == 1
    np.testing.assert_array_equal(plan.owner, [[[0, 0, 0, 0], [1, 1, 1, 3], [1, 1, 1, 1]]])
    assert (first.tasks, second.tasks, branch.tasks) == ((0,), (1, 2), (1,))
    assert branch.start == second
    assert branch.frozen == 3


def test_a_trunk_that_carries_nothing_is_not_trained() -> None:
    plugin, context = MGen(MGenOptions(trunks=3)), Recording(LOAD)
    given = dse.Params(1, {"layers": np.array([4]), "own": np.array([[0] * 3]), "trunk": np.array([[1, 1, 2]])})
    plugin.weights(context, given, dse.BASE)

    assert context.asked == []


def test_on_an_input_that_all_share_the_trunk_runs_once() -> None:
    load = tiny_workload(3, mode="shared")
    energy = {}
    for name, plugin, given in (
        ("own", MGen(MGenOptions()), params(4, [4, 4, 4])),
        ("branches", MGen(MGenOptions()), params(4, [1, 1, 1])),
        ("shared", Shared(SharedOptions()), dse.Params(1)),
    ):
        wanted = demand(load, plugin.plan(load, given), generator=name)
        components = tiny_components(load, 1)
        schedule = dse.listed_order(load, 1)
        passes = total(load, wanted, components, schedule, who="test").energy_uj[0]
        energy[name] = passes

    assert energy["shared"] < energy["branches"] < energy["own"]


def test_one_shared_encoder_takes_the_arrays_of_one() -> None:
    load = workload(4)
    plan = Shared(SharedOptions()).plan(load, dse.Params(1))
    wanted = demand(load, plan, generator="mtl-shared")
    shared = count(load, wanted, dse.whole_footprint(wanted), geometry()).arrays.sum()
    apart = demand(load, dse.separate_models(load, 1), generator="independent")

    assert shared * 4 == count(load, apart, dse.whole_footprint(apart), geometry()).arrays.sum()


def test_the_trunk_loses_what_does_least_and_branches_lose_nothing() -> None:
    plugin = MGen(MGenOptions(depths=[3, 4], block=16))
    plugin.prepare(context := Recording(LOAD))
    shares = {"heads": np.array([0.5, 1.0]), "ffn": np.array([0.5, 1.0])}
    given = dse.Params(2, {"layers": np.array([3, 3]), "own": np.array([[0, 1, 0]] * 2), **shares})
    plan: Any = plugin.plan(LOAD, given)
    one = dse.Params(1, {name: given[name][:1] for name in given})
    trunk: Any = plugin.weights(context, one, dse.BASE)
    branch: Any = plugin.weights(context, one, 2)

    assert plan.ffn[1].all()
    assert plan.heads[1].all()
    runs = [0, 2, 3]
    assert plan.ffn[0, 0, runs].sum() == 64 * 3 / 2
    np.testing.assert_array_equal(plan.ffn[0, 0], plan.ffn[0, 2])
    np.testing.assert_array_equal(plan.ffn[0, 1, :3], plan.ffn[0, 0, :3])  # the trunk beneath a branch is everyone's
    assert plan.ffn[0, 1, 3].all()
    gone = ~plan.ffn[0, 0, 2]
    assert gone.any()
    assert not trunk.matrices[2, 5][:, gone].any()
    assert trunk.shifts[2, 5].any()
    assert branch.shifts == {}


def test_an_unmeasured_trunk_keeps_its_first_units() -> None:
    plan: Any = MGen(MGenOptions(block=16)).plan(LOAD, params(4, [0, 0, 0]))
    assert plan.ffn.all()
    half = dse.Params(1, {**params(4, [0, 0, 0]), "ffn": np.full(1, 0.5), "heads": np.ones(1)})
    plan = MGen(MGenOptions(block=16)).plan(LOAD, half)
    assert plan.ffn[0, 0].sum(axis=-1).tolist() == [32] * 4
