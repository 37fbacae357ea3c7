"""Generators and schedulers: plans and orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dse_plugins.generators.independent import Independent
from dse_plugins.generators.shared_prefix import SharedPrefix
from dse_plugins.schedulers.fixed import Fixed, FixedOptions
from dse_plugins.schedulers.searched import Searched

import dse
from dse.testing.workloads import tiny_components
from tests.support.workloads import workload

LOAD = workload(3)
NO_COMPONENTS: dse.Components = None  # type: ignore[assignment]  # neither scheduler looks at cost


def test_independent_gives_every_layer_to_its_task() -> None:
    plan = Independent(dse.Options()).plan(LOAD, dse.Params(2))

    np.testing.assert_array_equal(plan.owner, np.broadcast_to([[[1, 1], [2, 2], [3, 3]]], (2, 3, 2)))


def test_shared_prefix_gives_the_lowest_layers_to_the_base() -> None:
    depth = np.array([[0, 1, 2], [2, 0, 0]])
    plan = SharedPrefix(dse.Options()).plan(LOAD, dse.Params(2, {"depth": depth}))

    np.testing.assert_array_equal(plan.owner, [[[1, 1], [0, 2], [0, 0]], [[0, 0], [2, 2], [3, 3]]])


def test_fixed_serves_in_the_listed_or_the_given_order() -> None:
    listed = Fixed(FixedOptions()).order(NO_COMPONENTS, LOAD, dse.Params(1))
    given = Fixed(FixedOptions(order=["task2", "task0", "task1"])).order(NO_COMPONENTS, LOAD, dse.Params(2))

    np.testing.assert_array_equal(listed.task, [[0, 1, 2]])
    np.testing.assert_array_equal(given.task, [[2, 0, 1], [2, 0, 1]])


def test_fixed_refuses_an_order_that_is_none() -> None:
    with pytest.raises(dse.SpaceError, match=r"does not list every task once[\s\S]*task0, task1, task2[\s\S]*task0"):
        Fixed(FixedOptions(order=["task0"])).parameters(LOAD)


def test_searched_serves_each_point_in_its_own_order() -> None:
    order = np.array([[2, 1, 0], [1, 2, 0]])
    schedule = Searched(dse.Options()).order(NO_COMPONENTS, LOAD, dse.Params(2, {"order": order}))

    np.testing.assert_array_equal(schedule.task, order)


@pytest.mark.parametrize("name", ["fixed", "greedy", "optimal", "searched"])
def test_every_scheduler_serves_the_batch_that_is_asked_for(name: str) -> None:
    scheduler: Any = dse.Registry().discover().build("scheduler", name)
    batch = next(item for item in scheduler.parameters(LOAD) if item.name == "batch")
    order = np.array([[2, 1, 0], [1, 2, 0]])
    made = scheduler.order(tiny_components(LOAD, 2), LOAD, dse.Params(2, {"order": order, "batch": np.array([1, 64])}))

    assert batch.low == batch.high == batch.default == LOAD.traffic.batch  # a space file may widen it
    np.testing.assert_allclose(made.batch.mean(axis=1), [1, 64])


def test_batches_follow_the_rates() -> None:
    tasks = tuple(dse.Task(f"t{index}", 1, 1, 0, rate) for index, rate in enumerate((0.5, 0.25, 0.25)))
    load = dse.Workload("x", LOAD.encoder, tasks, dse.Traffic(batch=8.0))
    shared = dse.Workload("x", LOAD.encoder, tasks, dse.Traffic("shared", batch=8.0))

    np.testing.assert_allclose(dse.requests_per_visit(load, 1), [[12, 6, 6]])
    np.testing.assert_allclose(dse.requests_per_visit(shared, 1), [[8, 8, 8]])
