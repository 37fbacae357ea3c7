"""Orders of tasks: the best is the best of all, and nothing loses to the listed one that need not."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from dse_plugins.schedulers.greedy import Greedy
from dse_plugins.schedulers.optimal import Optimal, OrderOptions
from dse_plugins.schedulers.optimal import tours as found
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.testing import tiny_workload
from dse.testing.workloads import tiny_components
from tests.support import turns


def costs(seed: int, points: int, nodes: int, *, whole: bool) -> np.ndarray:
    draw = np.random.default_rng(seed)
    shape = (points, nodes, nodes)
    cost = draw.integers(0, 4, shape).astype(float) if whole else draw.random(shape)
    cost[:, range(nodes), range(nodes)] = 0
    return cost


def brute_force(cost: np.ndarray) -> float:
    nodes = len(cost)
    orders = np.array([(0, *rest) for rest in permutations(range(1, nodes))])
    return float(cost[np.roll(orders, 1, axis=1), orders].sum(axis=1).min())


@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.booleans())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_best_tour_is_that_of_brute_force(seed: int, nodes: int, whole: bool) -> None:
    cost = costs(seed, 3, nodes, whole=whole)
    tours = found.best_tours(cost)

    assert (np.sort(tours, axis=1) == np.arange(nodes)).all()
    assert found.lengths(cost, tours) == pytest.approx([brute_force(one) for one in cost])


@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_integer_programming_finds_what_dynamic_programming_finds(seed: int, nodes: int, whole: bool) -> None:
    cost = costs(seed, 1, nodes, whole=whole)
    ours = found._by_cuts(cost[0])[None]  # used beyond twelve tasks, where nothing tells the truth

    assert sorted(ours[0]) == list(range(nodes))
    assert found.lengths(cost, ours) == pytest.approx(found.lengths(cost, found.best_tours(cost)))


def test_more_than_twelve_tasks_are_ordered_too() -> None:
    nodes = 15
    hidden = np.random.default_rng(3).permutation(nodes)
    cost = np.full((1, nodes, nodes), 5.0)
    cost[0, hidden, np.roll(hidden, -1)] = 1.0
    tour = found.best_tours(cost)

    assert found.lengths(cost, tour) == nodes


def test_a_batch_larger_than_a_table_is_what_its_points_are_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = costs(0, 7, 6, whole=False)
    whole = found.best_tours(cost)
    monkeypatch.setattr(found, "_TOGETHER", 2**5 * 6 * 2)

    assert (found.best_tours(cost) == whole).all()


def schedule(plugin: Any, energy: np.ndarray, latency: np.ndarray | None = None) -> np.ndarray:
    load = tiny_workload(energy.shape[1])
    components = tiny_components(load, len(energy))
    components = dse.Components(
        **{name: getattr(components, name) for name in components.__dataclass_fields__}
        | {"switch_energy_uj": energy, "switch_latency_us": energy if latency is None else latency}
    )
    made = plugin.order(components, load, dse.Params(len(energy)))
    rates = [task.rate for task in load.tasks]
    for order, batch in zip(made.task, made.batch, strict=True):
        assert batch / batch.sum() == pytest.approx([rates[task] for task in order])
    return np.asarray(made.task)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_optimal_never_loses_to_greedy_or_the_listed_order(seed: int, tasks: int) -> None:
    cost = costs(seed, 4, tasks, whole=False)
    listed = np.broadcast_to(np.arange(tasks), (4, tasks))
    best, near = schedule(Optimal(OrderOptions()), cost), schedule(Greedy(dse.Options()), cost)

    assert (found.lengths(cost, best) <= found.lengths(cost, near) + 1e-12).all()
    assert (found.lengths(cost, best) <= found.lengths(cost, listed) + 1e-12).all()


def test_greedy_goes_to_the_nearest() -> None:
    cost = np.array([[[0, 9, 1, 9], [9, 0, 9, 1], [9, 1, 0, 9], [1, 9, 9, 0]]], dtype=float)

    assert schedule(Greedy(dse.Options()), cost).tolist() == [[0, 2, 1, 3]]


def test_where_nothing_is_written_the_listed_order_stays() -> None:
    assert schedule(Optimal(OrderOptions()), np.zeros((2, 5, 5))).tolist() == [[0, 1, 2, 3, 4]] * 2


def test_latency_may_be_what_counts() -> None:
    energy, latency = costs(1, 2, 6, whole=False), costs(2, 2, 6, whole=False)
    order = schedule(Optimal(OrderOptions(minimise="latency")), energy, latency)

    assert found.lengths(latency, order) == pytest.approx([brute_force(one) for one in latency])


def test_optimal_writes_the_least_of_all_turns_of_a_small_chip() -> None:
    """Chips are replayed array by array. On a shared input the first task matters, too."""
    rng = np.random.default_rng(3)
    drawn = [turns.draw_chips(rng, 1)[0] for _ in range(300)]
    gain = 0.0
    for chip in (one for one in drawn if 2 < len(one.owner) < 5 and len(one.visits) == len(one.owner)):
        listed = tuple(range(len(chip.owner)))
        load = tiny_workload(len(listed), mode="shared" if chip.shared else "independent")
        made = turns.describe([chip])
        best, near = (tuple(one.order(made, load, dse.Params(1)).task[0].tolist()) for one in SCHEDULERS)
        writes = {order: write(chip, order) for order in permutations(listed)}
        assert writes[best] == min(writes.values()) <= writes[near]
        assert best == listed or writes[best] < writes[listed]
        gain += writes[listed] - writes[best]
    assert gain > 0


SCHEDULERS = (Optimal(OrderOptions()), Greedy(dse.Options()))


def write(chip: turns.Chip, order: tuple[int, ...]) -> float:
    return float(sum(count for count, _ in turns.count_writes(chip._replace(visits=list(order)))))
