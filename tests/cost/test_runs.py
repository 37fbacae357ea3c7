"""Runs: which task runs a layer that several tasks share on one input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dse
from dse.cost.demand import demand
from dse.cost.runs import count_runs, find_leaders, order_tasks
from dse.cost.sum import Costs, total
from tests.cost.test_throughput import occupied
from tests.support.workloads import workload


def test_layers_of_one_owner_run_once_only_where_tasks_keep_the_same_of_them() -> None:
    load = replace(workload(tasks=2), traffic=dse.Traffic("shared"))
    layers, ffn = load.encoder.layers, load.encoder.ffn
    kept = np.ones((1, 2, layers, ffn), dtype=bool)
    kept[0, 1, 1, 0] = False  # one column less from the second layer on
    owner = np.zeros((1, 2, layers), dtype=np.int64)
    order = dse.listed_order(load, 1)
    runs = count_runs(load, demand(load, dse.Plan(owner, ffn=kept), generator="test"), order)
    assert runs.layers[0, 0].tolist() == [1.0] * layers
    assert runs.layers[0, 1].tolist() == [0.0] + [1.0] * (layers - 1)
    alike = count_runs(load, demand(load, dse.Plan(owner, ffn=kept[:, [0, 0]]), generator="test"), order)
    assert alike.layers[0, 1].tolist() == [0.0] * layers


def test_the_first_visited_task_runs_what_is_shared() -> None:
    load = workload(3, mode="shared")
    wanted = demand(load, dse.Plan(np.array([[[0, 1], [0, 0], [0, 0]]])), generator="test")

    for order, leaders in (([0, 1, 2], [[0, 0], [0, 1], [0, 1]]), ([2, 1, 0], [[2, 0], [2, 2], [2, 2]])):
        runs = count_runs(load, wanted, dse.Schedule(np.array([order]), np.ones((1, 3))))
        assert runs.leader is not None
        assert runs.leader[0].tolist() == leaders
        assert runs.enters[0].tolist() == [float(task == order[0]) for task in range(3)]
        assert runs.layers[0].sum() == 3  # the first layer, and the second one twice


def test_a_task_that_is_visited_again_keeps_its_place() -> None:
    visits = np.array([[2, 0, 2, 1]])
    everything = np.ones((1, 3, 3, 1), dtype=bool)

    assert order_tasks(visits, 3).tolist() == [[2, 0, 1]]
    assert find_leaders(everything, visits)[0, :, 0].tolist() == [2, 2, 2]


@pytest.mark.parametrize("seed", range(4))
def test_listing_tasks_in_another_order_changes_no_cost_of_a_shared_input(seed: int) -> None:
    rng = np.random.default_rng(seed)
    load = workload(3, mode="shared")
    owner = np.array([[0, 0], [0, 2], [0, 0]])
    made = occupied(load, rng)
    tasks = rng.permutation(3)
    place = np.argsort(tasks)

    def cost(load: dse.Workload, owner: np.ndarray, made: dse.Components, order: np.ndarray) -> Costs:
        wanted = demand(load, dse.Plan(owner[None]), generator="test")
        return total(load, wanted, made, dse.Schedule(order[None], np.ones((1, 3))), who="test")

    assert made.occupancy is not None
    busy = made.occupancy
    other = replace(
        made,
        latency_us=made.latency_us[:, tasks],
        input_latency_us=made.input_latency_us[:, tasks],
        request_latency_us=made.request_latency_us[:, tasks],
        occupancy=replace(busy, arrays_us=busy.arrays_us[:, tasks], digital_us=busy.digital_us[:, tasks]),
    )
    moved = np.where(owner[tasks] > 0, place[owner[tasks] - 1] + 1, 0)
    order = np.array([1, 2, 0])
    first = cost(load, owner, made, order)
    second = cost(replace(load, tasks=tuple(load.tasks[task] for task in tasks)), moved, other, place[order])

    for name in ("latency_us", "cycle_us", "energy_uj", "throughput_rps", "wait_bound_us"):
        assert first.find(name) == pytest.approx(second.find(name)), name
