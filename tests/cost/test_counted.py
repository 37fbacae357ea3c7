"""Costs without the tasks that do not count are those of a study that never had them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dse_plugins.compressors.none import Uncompressed
from dse_plugins.generators.shared_prefix import SharedPrefix
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.schedulers.fixed import Fixed, FixedOptions
from dse_plugins.schedulers.searched import Searched
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.cost import Built, cost_points
from dse.cost.counted import Counted, leave_out, skip_others
from dse.cost.demand import demand
from dse.cost.reference import default_value
from dse.records.design import PluginParameter
from dse.records.layout import Layout
from dse.records.parameters import INPUT_BITS
from dse.records.plugin import KINDS
from dse.testing import tiny_workload

TASKS = 4
NAMES = ("shared-prefix", "none", "searched", "isaac")


def without(load: dse.Workload, tasks: tuple[int, ...]) -> dse.Workload:
    """Return the workload of some tasks alone."""
    total = sum(load.tasks[task].rate for task in tasks)
    left = tuple(replace(load.tasks[task], rate=load.tasks[task].rate / total) for task in tasks)
    return replace(load, tasks=left)


def build() -> Built:
    return Built(
        NAMES,
        SharedPrefix(dse.Options()),
        Uncompressed(dse.Options()),
        Searched(dse.Options()),
        Isaac(IsaacOptions(imas_per_tile=1)),
    )


def declare(built: Built, load: dse.Workload) -> tuple[PluginParameter, ...]:
    plugins = zip(KINDS, NAMES, (built.generator, built.compressor, built.scheduler, built.hardware), strict=True)
    return tuple(PluginParameter(kind, name, item) for kind, name, one in plugins for item in one.parameters(load))


def params(built: Built, load: dse.Workload, depth: Any, order: Any, tiles: int) -> dict[Any, dse.Params]:
    given_values = {"depth": np.asarray(depth), "order": np.asarray(order), "tiles": np.full(len(depth), tiles)}
    values: dict[Any, dict[str, Any]] = {kind: {} for kind in KINDS}
    for item in declare(built, load):
        name = item.parameter.name
        usual = np.asarray([default_value(item.parameter, load)] * len(depth))
        values[item.kind][name] = given_values.get(name, usual)
    values["hardware"][INPUT_BITS.name] = np.full(len(depth), INPUT_BITS.default)
    return {kind: dse.Params(len(depth), of_kind) for kind, of_kind in values.items()}


@given(
    st.sets(st.integers(0, TASKS - 1), min_size=1),
    st.lists(st.integers(0, 4), min_size=TASKS, max_size=TASKS),
    st.permutations(range(TASKS)),
    st.sampled_from(["independent", "shared"]),
    st.sampled_from([0, 2]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_costs_of_some_tasks_are_those_of_a_workload_without_the_others(
    counted: set[int], depth: list[int], order: list[int], mode: Any, tiles: int
) -> None:
    load = tiny_workload(TASKS, mode=mode)
    tasks, built = tuple(sorted(counted)), build()
    alone = without(load, tasks)
    left = [tasks.index(task) for task in order if task in tasks]
    among = cost_points(
        load, built, params(built, load, [depth], [order], tiles), counted=Counted(alone, tasks, declare(built, load))
    )
    by_themselves = cost_points(alone, built, params(built, alone, [[depth[task] for task in tasks]], [left], tiles))
    for name in (
        "area_mm2",
        "energy_uj",
        "latency_us",
        "writes",
        "offchip_mb",
        "array_area_mm2",
        "visit_us",
        "switch_us",
    ):
        np.testing.assert_allclose(among.costs.find(name), by_themselves.costs.find(name), rtol=1e-12, err_msg=name)
    np.testing.assert_array_equal(among.costs.order, by_themselves.costs.order)
    assert among.reasons == by_themselves.reasons
    assert among.layout.demand.tasks == len(tasks)


def store(load: dse.Workload, plan: dse.Plan) -> Layout:
    wanted = demand(load, plan, generator="test")
    return Layout(wanted, Uncompressed(dse.Options()).footprint(load, wanted, None, dse.Params(1)))  # type: ignore[arg-type]


def keep(load: dse.Workload, plan: dse.Plan, counted: Counted) -> dse.Demand:
    nothing = {kind: dse.Params(1) for kind in KINDS}
    return leave_out(load, store(load, plan), nothing, NAMES, counted)[1].demand


def test_weights_that_a_task_that_counts_takes_from_another_are_stored() -> None:
    load = tiny_workload(3)
    owner = np.repeat(np.array([[[1], [3], [3]]]), 4, axis=2)  # the second task runs the third one's weights
    counted = Counted(without(load, (0, 1)), (0, 1))
    plan = skip_others(dse.Plan(owner), counted)
    kept = keep(load, plan, counted)

    assert (kept.tasks, kept.groups) == (2, 1)
    assert kept.used[0, :, 0].tolist() == [True, True, True, False]  # base, what is lent, first task, second task
    assert kept.owner[0, :, 0].tolist() == [2, 1]


def test_exits_of_a_task_that_does_not_count_are_left_out() -> None:
    load = tiny_workload(2)
    owner = np.repeat(np.array([[[1], [2]]]), 4, axis=2)
    exits = dse.Exits(np.array([[[0, 40, 0, 0], [0, 80, 0, 0]]]), np.array([[[1.0, 1, 0.5, 0.5], [1, 1, 0.25, 0.25]]]))
    counted = Counted(without(load, (0,)), (0,))
    plan = skip_others(dse.Plan(owner, exits=exits), counted)
    kept = keep(load, plan, counted)

    assert kept.exits is not None
    assert kept.exits.parameters.tolist() == [[[0, 40, 0, 0]]]
    assert kept.exits.reach.tolist() == [[[1.0, 1, 0.5, 0.5]]]


def test_an_order_in_the_options_may_name_a_task_that_does_not_count() -> None:
    load = without(tiny_workload(3), (0, 2))
    names = [task.name for task in tiny_workload(3).tasks]
    schedule = Fixed(FixedOptions(order=names[::-1])).order(None, load, dse.Params(1))  # type: ignore[arg-type]

    assert schedule.task.tolist() == [[1, 0]]


@pytest.mark.parametrize("tasks", [(0,), (1, 2)])
def test_values_by_task_follow_the_tasks(tasks: tuple[int, ...]) -> None:
    load, built = tiny_workload(3), build()
    counted = Counted(without(load, tasks), tasks, declare(built, load))
    given_values = params(built, load, [[1, 2, 3]], [[2, 0, 1]], 0)

    kept = leave_out(load, store(load, dse.separate_models(load, 1)), given_values, NAMES, counted)[2]

    assert kept["generator"]["depth"].tolist() == [[[1, 2, 3][task] for task in tasks]]
    assert kept["scheduler"]["order"].tolist() == ([[0]] if tasks == (0,) else [[1, 0]])
