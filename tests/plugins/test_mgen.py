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
from dse.pipeline.costing import total
from dse.pipeline.counting import count
from dse.pipeline.demand import demand
from dse.testing import TinyContext, tiny_workload
from dse.testing.workloads import tiny_components
from tests.workloads import geometry, workload

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
    return dse.Params(1, {"layers": np.array([layers]), "own": np.array([own])})


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
    given = dse.Params(2, {"layers": np.array([4, 2]), "own": np.array([[0, 1, 4], [2, 0, 1]])})
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

    assert trunk == dse.Training((0, 1, 2), (0, 2, 3), distil=0.25)
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
    shared = count(load.encoder, wanted, dse.whole_footprint(wanted), geometry()).arrays.sum()
    apart = demand(load, dse.separate_models(load, 1), generator="independent")

    assert shared * 4 == count(load.encoder, apart, dse.whole_footprint(apart), geometry()).arrays.sum()
