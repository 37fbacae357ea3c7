"""Sums over schedules and shared prefixes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import dse
from dse.cost.demand import demand
from dse.cost.sum import Costs, total
from tests.support.workloads import workload


def components(load: dse.Workload, points: int = 1, **changes: object) -> dse.Components:
    tasks, layers = len(load.tasks), load.encoder.layers
    fields: dict[str, object] = {
        "names": ("a", "b"),
        "area_mm2": np.ones((points, 1 + tasks, 2)),
        "array_area_mm2": np.ones(points),
        "energy_uj": np.ones((points, tasks, layers, 2)),
        "latency_us": np.ones((points, tasks, layers)),
        "input_energy_uj": np.zeros((points, tasks, 2)),
        "input_latency_us": np.zeros((points, tasks)),
        "request_energy_uj": np.zeros((points, tasks, 2)),
        "request_latency_us": np.zeros((points, tasks)),
        "switch_energy_uj": np.zeros((points, tasks, tasks)),
        "switch_latency_us": np.zeros((points, tasks, tasks)),
        "switch_writes": np.zeros((points, tasks, tasks)),
        "cell_writes": np.zeros((points, tasks, tasks)),
        "endurance": np.full(points, 1e6),
        "offchip_mb": np.zeros(points),
    }
    return dse.Components(**(fields | changes))  # type: ignore[arg-type]


def summed(
    load: dse.Workload, owner: list[list[int]], charged: dse.Components, order: list[int] | None = None
) -> Costs:
    wanted = demand(load, dse.Plan(np.array([owner])), generator="test")
    schedule = dse.listed_order(load, 1)
    if order is not None:
        schedule = dse.Schedule(np.array([order]), schedule.batch[:, order])
    return total(load, wanted, charged, schedule, who="test")


def test_independent_traffic_runs_one_task_a_request() -> None:
    load = workload(3)

    costs = summed(load, [[1, 1], [2, 2], [3, 3]], components(load))

    assert costs.energy_uj[0] == pytest.approx(2 * 2)  # two layers, two components
    assert costs.area_mm2[0] == 8


def test_shared_traffic_runs_a_common_prefix_once() -> None:
    load = workload(3, mode="shared")

    apart = summed(load, [[1, 1], [2, 2], [3, 3]], components(load))
    prefix = summed(load, [[0, 1], [0, 2], [3, 3]], components(load))
    late = summed(load, [[1, 0], [2, 0], [3, 0]], components(load))

    assert apart.energy_uj[0] == 6 * 2
    assert prefix.energy_uj[0] == 5 * 2  # the base's first layer runs once for two tasks
    assert late.energy_uj[0] == 6 * 2  # equal weights on different activations are different work


def test_switching_is_amortised_over_the_batch_and_follows_the_order() -> None:
    load = workload(3, batch=5.0)
    switch = np.zeros((1, 3, 3))
    switch[0, 0, 1], switch[0, 1, 2], switch[0, 2, 0] = 1, 10, 100
    switch[0, 0, 2], switch[0, 2, 1], switch[0, 1, 0] = 2, 20, 200
    charged = components(load, switch_energy_uj=switch, switch_writes=switch, cell_writes=switch * 0 + 1)

    forward = summed(load, [[1, 1], [2, 2], [3, 3]], charged)
    backward = summed(load, [[1, 1], [2, 2], [3, 3]], charged, order=[0, 2, 1])

    assert forward.energy[0, -1] == pytest.approx(111 / 15)
    assert backward.energy[0, -1] == pytest.approx(222 / 15)
    assert forward.writes[0] == pytest.approx(111 / 15)
    np.testing.assert_allclose(forward.cycle_us, 15 * forward.latency_us)
    seconds = 1e6 / (3 / 15 * load.traffic.requests_per_s)
    assert forward.lifetime_years[0] == pytest.approx(seconds / (365.25 * 24 * 3600))


@pytest.mark.parametrize("mode", ["independent", "shared"])
def test_visits_and_switches_add_up_to_a_turn(mode: str) -> None:
    load = workload(3, batch=5.0, mode=mode)
    draw = np.random.default_rng(0)
    times = {"latency_us": (1, 3, 2), "input_latency_us": (1, 3), "request_latency_us": (1, 3)}
    drawn: dict[str, Any] = {name: draw.uniform(1, 2, shape) for name, shape in times.items()}
    charged = components(
        load,
        **drawn,
        switch_latency_us=np.arange(9.0).reshape(1, 3, 3),
    )
    schedule = dse.Schedule(np.array([[0, 2, 1, 0]]), np.array([[1.0, 5.0, 5.0, 4.0]]))
    wanted = demand(load, dse.Plan(np.array([[[0, 1], [0, 2], [3, 3]]])), generator="test")

    found = total(load, wanted, charged, schedule, who="test")

    assert found.switch_us.tolist() == [[0.0, 2.0, 7.0, 3.0]]  # 0 after 0, 2 after 0, 1 after 2, 0 after 1
    assert found.visit_us.sum() + found.switch_us.sum() == pytest.approx(found.cycle_us[0])
    assert found.visit_us[0, 3] == pytest.approx(4 * found.visit_us[0, 0])
    request = charged.latency_us[0].sum(axis=1) + charged.request_latency_us[0]
    request += (
        charged.input_latency_us[0] if mode == "independent" else np.array([charged.input_latency_us[0, 0], 0, 0])
    )
    if mode == "shared":
        request[1] -= charged.latency_us[0, 1, 0]  # the base's first layer has run for task 0
    np.testing.assert_allclose(found.visit_us[0, [1, 2]], 5 * request[[2, 1]])


def test_nothing_written_lasts_for_ever() -> None:
    load = workload(2)

    assert np.isinf(summed(load, [[1, 1], [2, 2]], components(load)).lifetime_years[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("field", ["area_mm2", "energy_uj", "switch_latency_us"])
def test_a_charge_that_is_no_cost_is_refused_with_the_plugin_s_name(field: str, value: float) -> None:
    load = workload(2)
    wrong = getattr(components(load), field).copy()
    wrong.ravel()[-1] = value

    with pytest.raises(dse.PluginContractError, match=rf"hardware 'x'[\s\S]*{field}[\s\S]*finite values >= 0"):
        total(
            load,
            demand(load, dse.separate_models(load, 1), generator="test"),
            components(load, **{field: wrong}),
            dse.listed_order(load, 1),
            who="hardware 'x'",
        )


@pytest.mark.parametrize("steps", [[0, 1], [0, 1, 1], [0, 1, 5]])
def test_a_schedule_that_drops_a_task_is_refused(steps: list[int]) -> None:
    load = workload(3)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    schedule = dse.Schedule(np.array([steps]), np.ones((1, len(steps))))

    with pytest.raises(dse.PluginContractError, match="does not serve every task in proportion to its rate"):
        total(load, wanted, components(load), schedule, who="scheduler 'x'")


def test_tasks_with_different_embeddings_have_no_common_prefix_and_read_each_its_own() -> None:
    alike = workload(3, mode="shared")
    tasks = tuple(replace(task, embeddings=number) for task, number in zip(alike.tasks, (0, 1, 0), strict=True))
    charged = components(alike, input_energy_uj=np.ones((1, 3, 2)))
    owner = [[0, 0], [0, 0], [0, 0]]

    together = summed(alike, owner, charged).energy_uj[0]
    apart = summed(replace(alike, tasks=tasks), owner, charged).energy_uj[0]

    assert together == pytest.approx(2 * 2 + 2)  # two layers and the embeddings, each once, in two components
    assert apart == pytest.approx(2 * (2 * 2 + 2))  # once for the first and third task, once for the second


def test_a_shared_input_is_embedded_once_and_answered_by_every_task() -> None:
    one: dict[str, Any] = {"input_energy_uj": np.full((1, 3, 2), 5.0), "request_energy_uj": np.full((1, 3, 2), 2.0)}
    own = np.repeat(np.arange(1, 4)[None, :, None], 2, axis=2)
    for mode, embedded, answered in (("shared", 1, 3), ("independent", 1, 1)):
        load = replace(workload(tasks=3, layers=2), traffic=dse.Traffic(mode))  # type: ignore[arg-type]  # one of the two
        charged = components(load, energy_uj=np.zeros((1, 3, 2, 2)), **one)
        found = summed(load, own[0].tolist(), charged)
        assert found.energy_uj[0] == pytest.approx(2 * (5 * embedded + 2 * answered))
