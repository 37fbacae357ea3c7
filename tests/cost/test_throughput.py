"""Throughput, load, waits, and shared inputs that are answered side by side, against replays and arithmetic by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse import plugin
from dse.cost.demand import demand
from dse.cost.limits import find_overload
from dse.cost.sum import Costs, total
from tests.cost.test_sum import components
from tests.support.workloads import workload


def occupied(load: dse.Workload, rng: np.random.Generator, **changes: Any) -> dse.Components:
    """Charge random times, half of them digital."""
    shape = (1, len(load.tasks), load.encoder.layers)
    arrays, digital = rng.uniform(1, 5, shape), rng.uniform(0, 3, shape)
    ends: Any = {name: rng.uniform(0, 1, shape[:2]) for name in ("input_latency_us", "request_latency_us")}
    fields = {"replicas": np.ones((1, 3)), "digital_units": np.ones(1)} | changes
    busy = plugin.Occupancy(arrays * 0.8, digital, resize=lambda replicas, _units: replicas.sum(axis=1), **fields)
    return components(load, latency_us=arrays + digital, occupancy=busy, **ends)


def cost(load: dse.Workload, owner: Any, made: dse.Components, on_base: Any = None) -> Costs:
    groups = max(0, int(np.max(owner)) - len(load.tasks))
    wanted = demand(load, dse.Plan(np.array([owner]), groups=groups), generator="test", joint=groups > 0)
    footprint = dse.whole_footprint(wanted)
    if on_base is not None:
        footprint = replace(footprint, on_base=np.broadcast_to(on_base, footprint.on_base.shape))
    return total(load, wanted, made, dse.listed_order(load, 1), who="test", footprint=footprint)


def replay(load: dse.Workload, owner: Any, made: dse.Components, deltas: bool) -> float:
    """Let each task take its arrays, then the digital unit, event by event; check that nobody uses a part twice at a time."""
    busy: dict[Any, list[tuple[float, float]]] = {}

    def take(parts: list[Any], ready: float, length: float) -> float:
        begin = max([ready, *(busy[part][-1][1] for part in parts if busy.get(part))])
        for part in parts:
            busy.setdefault(part, []).append((begin, begin + length))
        return begin + length

    assert made.occupancy is not None
    tasks, layers = range(len(load.tasks)), range(load.encoder.layers)
    first = made.input_latency_us[0, 0]
    ready = [take(["digital"], 0.0, first)] + [first for _ in tasks[1:]]
    done: dict[Any, float] = {}
    for layer in layers:
        for task in tasks:
            path = tuple(owner[task][: layer + 1])
            if path in done:
                ready[task] = done[path]
                continue
            own, digital = owner[task][layer], made.occupancy.digital_us[0, task, layer]
            if own >= 0:
                beside = [(0, layer)] if deltas and own > 0 else []
                array = made.latency_us[0, task, layer] - digital
                ready[task] = take([(own, layer), *beside], ready[task], array)
                ready[task] = take(["digital"], ready[task], digital)
            done[path] = ready[task]
    for task in tasks:
        ready[task] = take(["digital"], ready[task], made.request_latency_us[0, task])
    for used in busy.values():
        assert all(end <= begin + 1e-9 for (_, end), (begin, _) in pairwise(used))
    return float(max(ready))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_shared_input_is_answered_as_in_a_replay_of_events(seed: int, tasks: int, deltas: bool) -> None:
    rng = np.random.default_rng(seed)
    load = workload(tasks, mode="shared", layers=3)
    owner = [[int(rng.choice([-1, 0, task + 1])) for _ in range(3)] for task in range(tasks)]
    made = occupied(load, rng)

    costs = cost(load, owner, made, on_base=1.0 if deltas else None)

    assert costs.latency_us[0] == pytest.approx(replay(load, owner, made, deltas))
    assert costs.latency_us[0] <= costs.cycle_us[0] * (1 + 1e-9)  # a turn serves them one after another


def test_separate_models_answer_a_shared_input_in_parallel_and_a_shared_base_one_at_a_time() -> None:
    load = workload(3, mode="shared")
    ones = np.ones((1, 3, 2))
    busy = plugin.Occupancy(ones, 0 * ones, np.ones((1, 3)), np.ones(1), lambda replicas, _: replicas.sum(axis=1))
    made = components(load, latency_us=2 * ones, occupancy=busy)

    apart, late = (cost(load, owner, made) for owner in ([[1, 1], [2, 2], [3, 3]], [[1, 0], [2, 0], [3, 0]]))

    assert apart.latency_us[0] == 2 + 2
    assert late.latency_us[0] == 2 + 3 * 2
    assert apart.service["throughput_rps"][0] == pytest.approx(1e6 / 1)
    assert late.service["throughput_rps"][0] == pytest.approx(1e6 / 3)


def test_without_occupancy_tasks_answer_one_after_another_and_throughput_is_unknown() -> None:
    load = workload(3, mode="shared")
    costs = cost(load, [[1, 1], [2, 2], [3, 3]], components(load))

    assert costs.latency_us[0] == 6
    assert np.isnan(costs.service["throughput_rps"][0])
    assert find_overload(costs).amount[0] == 0


def test_the_busiest_part_bounds_requests_and_replicas_raise_the_bound() -> None:
    load = workload(2)
    arrays = np.array([[[4.0, 1.0], [2.0, 1.0]]])
    digital = np.full((1, 2, 2), 0.25)

    def rate(replicas: tuple[int, int, int], units: float = 1.0) -> float:
        busy = plugin.Occupancy(arrays, digital, np.array([replicas]), np.array([units]), lambda *_: np.ones(1))
        made = components(load, latency_us=arrays + digital, occupancy=busy)
        return float(1e6 / cost(load, [[0, 1], [0, 2]], made).service["throughput_rps"][0])

    assert rate((1, 1, 1)) == pytest.approx((4 + 2) / 2)  # the base's first layer serves both tasks, at rate 1/2 each
    assert rate((6, 1, 1)) == pytest.approx(
        0.5
    )  # digital work of two layers, and each task's own layer half of the time
    assert rate((6, 1, 2)) == pytest.approx(0.5)
    assert rate((6, 1, 1), 2) == pytest.approx(0.5)  # the times are those of all units together


def test_area_at_a_throughput_takes_the_fewest_replicas() -> None:
    load = workload(2)
    arrays = np.array([[[4.0, 1.0], [2.0, 1.0]]])
    asked: list[Any] = []

    def resize(replicas: Any, units: Any) -> Any:
        asked.append((replicas.tolist(), units.tolist()))
        return replicas.sum(axis=1)

    busy = plugin.Occupancy(arrays, np.full((1, 2, 2), 0.25), np.ones((1, 3)), np.ones(1), resize)
    costs = cost(load, [[0, 1], [0, 2]], components(load, latency_us=arrays + 0.25, occupancy=busy))
    assert costs.capacity is not None
    costs.capacity.area_at(np.array([1.5]))
    costs.capacity.area_at(np.array([0.2]))

    assert asked == [([[2.0, 1.0, 1.0]], [1.0]), ([[15.0, 1.0, 3.0]], [3.0])]


def test_operations_follow_the_matrices_that_are_kept() -> None:
    load = workload(2)
    busy = plugin.Occupancy(np.ones((1, 2, 2)), np.zeros((1, 2, 2)), np.ones((1, 3)), np.ones(1), lambda *_: np.ones(1))
    made = components(load, latency_us=np.ones((1, 2, 2)), occupancy=busy)
    costs = cost(load, [[1, -1], [2, 2]], made)

    weights = 4 * 32 * 32 + 2 * 32 * 64  # of a layer; the first task skips one of its two layers
    assert costs.service["tops"][0] == pytest.approx(2 * 10 * weights * 1.5 / 0.5 * 1e-6)
    assert costs.service["edap"][0] == pytest.approx(costs.energy_uj[0] * costs.latency_us[0] * costs.area_mm2[0])


@pytest.mark.parametrize(("per_s", "breaks"), [(0.99e6 / 4, False), (1e6 / 4, True), (2e6 / 4, True)])
def test_requests_that_arrive_as_fast_as_they_are_served_are_a_violation(per_s: float, breaks: bool) -> None:
    load = workload(1)
    load = replace(load, traffic=replace(load.traffic, requests_per_s=per_s))
    busy = plugin.Occupancy(
        np.full((1, 1, 2), 4.0), np.zeros((1, 1, 2)), np.ones((1, 3)), np.ones(1), lambda *_: np.ones(1)
    )
    costs = cost(load, [[1, 1]], components(load, occupancy=busy))

    assert costs.service["load"][0] == pytest.approx(per_s * 4e-6)
    assert (find_overload(costs).amount[0] > 0) == breaks


def test_who_writes_waits_for_a_batch_and_a_turn() -> None:
    load = workload(2, batch=5.0)
    load = replace(load, traffic=replace(load.traffic, requests_per_s=10.0))
    switch = np.array([[[0.0, 100.0], [100.0, 0.0]]])
    resident, written = (
        cost(load, [[1, 1], [2, 2]], components(load, switch_latency_us=times)) for times in (0 * switch, switch)
    )

    cycle = 10 * 2 + 200  # ten requests of two layers, and two switches
    gathering = 4 / 5 * 1e6  # four more requests at five per second
    assert written.cycle_us[0] == pytest.approx(cycle)
    assert written.service["wait_bound_us"][0] == pytest.approx(gathering + cycle)
    assert written.service["wait_mean_us"][0] == pytest.approx((gathering + cycle) / 2)
    assert written.service["throughput_rps"][0] == pytest.approx(10 / cycle * 1e6)
    assert resident.service["wait_bound_us"][0] == resident.service["wait_mean_us"][0] == 0
