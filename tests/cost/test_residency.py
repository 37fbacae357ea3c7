"""Residency by events: every visit of a turn, against chips that are replayed array by array and against all policies."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import plugin
from dse.cost.residency import charge_switches, replay
from dse.testing import tiny_workload
from dse.testing.workloads import tiny_components
from tests.support.turns import Chip, charge_arrays, count_by_core, count_mismatches, count_writes


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_every_visit_writes_what_a_chip_of_arrays_writes(seed: int) -> None:
    assert count_mismatches(seed, designs=5) == 0


def least_writes(runs: list[set[int]], turns: int, room: int) -> int:
    """Count the writes of the best of all policies, by trying every set of arrays that may stay."""
    cost: dict[frozenset[int], int] = {frozenset(): 0}
    for needed in runs * turns:
        after: dict[frozenset[int], int] = {}
        for held, spent in cost.items():
            others = sorted(held - needed)
            spent_now = spent + len(needed - held)
            for stay in combinations(others, min(len(others), room - len(needed))):
                state = frozenset(needed | set(stay))
                after[state] = min(spent_now, after.get(state, spent_now))
        cost = after
    return min(cost.values())


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_other_policy_writes_less(data: st.DataObject) -> None:
    runs = data.draw(st.lists(st.sets(st.integers(0, 6), min_size=1, max_size=4), min_size=2, max_size=5))
    room = data.draw(st.integers(max(map(len, runs)), 7))
    need = np.array([[[block in needed for block in range(7)] for needed in runs]])
    replayed = replay(need, np.ones((1, 7)), np.array([float(room)]))

    turns = len(replayed.written)
    assert replayed.written.sum() == least_writes(runs, turns, room)


def turn(visits: list[int], capacity: int, pinned: set[int], depth: tuple[int, ...], *, shared: bool = False) -> Chip:
    """Return a chip whose tasks share the base's lowest layers; every layer takes 18 tiles."""
    owner = [[0 if layer < base else task + 1 for layer in range(6)] for task, base in enumerate(depth)]
    tasks = len(depth) + 1
    return Chip(owner, [[False] * 6] * tasks, [[18] * 6] * tasks, visits, capacity, pinned, shared)


SMALL_CHIP = (0, 5, 1, 3)
"""Depths of the prefixes of ``spaces/small-chip.toml``."""


@pytest.mark.parametrize(
    ("tiles", "shared", "written"),
    [
        (108, False, [396, 360, 360, 360, 360, 396]),
        (108, True, [360] * 6),
        (162, False, [288, 270, 270, 270, 270, 288]),
        (162, True, [270] * 6),
        (270, False, [120] * 6),
        (360, False, [0] * 6),
    ],
)
def test_tiles_that_a_turn_writes(tiles: int, shared: bool, written: list[int]) -> None:
    """By hand: what was not overwritten stays over several tasks, and a shared input's layers run once."""
    orders = ([0, 1, 2, 3], [0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1])
    chips = [turn(order, tiles, set(), SMALL_CHIP, shared=shared) for order in orders]

    assert count_by_core(chips)[..., 0].sum(axis=1).round(9).tolist() == written
    assert [float(sum(count for count, _ in count_writes(chip))) for chip in chips] == written


@pytest.mark.parametrize("often", range(4))
def test_the_task_that_is_visited_most_stays_wherever_it_is_listed(often: int) -> None:
    """Two of four whole models fit. Every second visit is of one task: three models are written per turn, in three visits."""
    others = [task for task in range(4) if task != often]
    visits = [task for other in others for task in (often, other)]
    counted = count_by_core([turn(visits, 216, set(), (0, 0, 0, 0))])[0]

    assert counted.tolist() == [[0, 0], [108, 1]] * 3


def test_what_is_pinned_stays_although_more_is_written() -> None:
    visits = [0, 1, 0, 2, 0, 3]
    pinned = count_by_core([turn(visits, 216, {task}, (0, 0, 0, 0)) for task in (0, 1)])[..., 0]

    assert pinned.tolist() == [[0, 108, 0, 108, 0, 108], [108, 0, 0, 108, 108, 108]]


def test_listing_tasks_and_owners_in_another_order_changes_no_number() -> None:
    tasks = [3, 1, 0, 2]
    listed = turn([0, 1, 2, 3, 1], 180, {2}, SMALL_CHIP)
    place = {task: at for at, task in enumerate(tasks)}
    other = turn([place[task] for task in listed.visits], 180, {place[2]}, tuple(SMALL_CHIP[task] for task in tasks))

    assert count_by_core([other]).tolist() == count_by_core([listed]).tolist()


@pytest.mark.parametrize(("turns", "images"), [(1, 2 + 2), (2, 4 * 2), (3, 2 + 3 + 4)])
def test_images_are_those_of_what_is_written_and_at_most_one_of_each_array(turns: int, images: int) -> None:
    """Seven arrays hold one of the first task's beside the second, and two of the second's beside the first."""
    need = np.array([[[True, True, False], [True, False, True]]])
    size, room, image_mb = np.array([[2.0, 3.0, 4.0]]), np.array([7.0]), np.array([0.5])

    held = plugin.Residency(need, size, np.zeros((1, 3), dtype=bool), room, image_mb, charge_arrays)
    made = replace(tiny_components(tiny_workload(2)), residency=held)
    charges = charge_switches(made, np.array([[0, 1] * turns]))

    assert charges["switch_writes"].tolist() == [[2] * 2 * turns]
    assert charges["image_mb"].sum() == pytest.approx(0.5 * images)


def test_a_model_without_residency_is_charged_by_pairs_of_tasks() -> None:
    made = tiny_components(tiny_workload(3), 2)
    visits = np.array([[0, 2, 1], [1, 2, 0]])

    energy = charge_switches(made, visits)["switch_energy_uj"]

    assert energy[1].tolist() == [made.switch_energy_uj[1, last, task] for last, task in ((0, 1), (1, 2), (2, 0))]
