"""Residency of tiled chips: what a task needs, what is pinned, and what a turn costs, on the quickstart's shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dse
from dse import plugin
from dse.charging.residency import needs
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.sum import Costs, total
from tests.support.workloads import workload

ISAAC = dse.Registry().discover()
OWNER = [[0 if layer < depth else task + 1 for layer in range(6)] for task, depth in enumerate((0, 5, 1, 3))]
"""Owners of ``spaces/small-chip.toml``: 20 layers of 18 tiles."""
WHOLE = [[task + 1] * 6 for task in range(4)]
"""Separate models of 108 tiles each."""
TILE_CELLS = 96 * 128 * 128


def quickstart(mode: str = "independent", rates: tuple[float, ...] = (0.25,) * 4) -> dse.Workload:
    load = workload(4, layers=6, hidden=384, ffn=1536, heads=12, mode=mode, batch=32.0)
    return replace(load, tasks=tuple(replace(task, rate=rate) for task, rate in zip(load.tasks, rates, strict=True)))


def charge(load: dse.Workload, owner: list[list[int]], tiles: int, pinned: tuple[str, ...] = ()) -> plugin.Components:
    hardware = ISAAC.build("hardware", "isaac", {"pinned": list(pinned)})
    values = {item.name: np.array([item.default]) for item in hardware.parameters(load)}
    params = dse.Params(1, values | {"tiles": np.array([tiles]), "input_bits": np.array([8])})
    wanted = demand(load, dse.Plan(np.array([owner])), generator="test")
    whole = dse.whole_footprint(wanted)
    counts = count(load, wanted, whole, hardware.geometry(params))
    made: plugin.Components = hardware.components(load, wanted, counts, whole, params)
    return made


def cost(load: dse.Workload, owner: list[list[int]], made: plugin.Components, visits: list[int]) -> Costs:
    each = [load.tasks[task].rate * 4 / visits.count(task) for task in visits]
    batch = load.traffic.batch * (np.ones(len(visits)) if load.traffic.mode == "shared" else np.array(each))
    wanted = demand(load, dse.Plan(np.array([owner])), generator="test")
    return total(load, wanted, made, dse.Schedule(np.array([visits]), batch[None]), who="test")


@pytest.mark.parametrize(
    ("mode", "tiles", "visits", "written"),
    [
        ("independent", 108, [0, 1, 2, 3], 396),
        ("shared", 108, [0, 1, 2, 3], 360),
        ("shared", 108, [3, 2, 1, 0], 360),
        ("independent", 162, [0, 1, 2, 3], 288),
        ("independent", 162, [0, 2, 1, 3], 270),
        ("independent", 270, [0, 1, 2, 3], 120),
        ("independent", 360, [0, 1, 2, 3], 0),
    ],
)
def test_tiles_that_a_turn_writes(mode: str, tiles: int, visits: list[int], written: int) -> None:
    load = quickstart(mode)
    costs = cost(load, OWNER, charge(load, OWNER, tiles), visits)
    served = 32 * (1 if mode == "shared" else 4)

    assert costs.writes[0] * served / TILE_CELLS == pytest.approx(written)
    assert (costs.switch_us.sum() > 0) == (written > 0)


def test_a_frequent_task_stays_on_the_chip_and_its_visits_forget_nothing() -> None:
    """Two of four whole models fit, and every second visit is of one task: three models are loaded per turn, not four or five."""
    load = quickstart(rates=(0.1, 0.1, 0.1, 0.7))
    small, large = (cost(load, WHOLE, charge(load, WHOLE, tiles), [3, 0, 3, 1, 3, 2]) for tiles in (216, 432))
    pulses_pj, image_pj = 8.5 * 10, 1950 / 8 / 8
    model_uj = 108 * TILE_CELLS * (pulses_pj + image_pj) * 1e-6

    assert model_uj / 128 == pytest.approx(153.24, abs=0.01)
    assert small.energy_uj[0] - large.energy_uj[0] == pytest.approx(3 * model_uj / 128)
    turns_per_s = load.traffic.requests_per_s / 128
    assert small.lifetime_years[0] == pytest.approx(1e6 / (3 * 8.5 * turns_per_s) / (365.25 * 24 * 3600))


def test_a_pinned_task_is_never_written_and_the_others_pay() -> None:
    load = quickstart()
    visits = [0, 1, 2, 3]
    free, held = (cost(load, OWNER, charge(load, OWNER, 216, names), visits) for names in ((), ("task3",)))

    assert (free.switch_us[0, 3] > 0, held.switch_us[0, 3]) == (True, 0)
    assert held.writes[0] > free.writes[0]


def test_what_is_pinned_needs_room_beside_the_largest_task() -> None:
    load = quickstart()
    for pinned, tiles, missing in (((), 90, 18), ((), 108, 0), (("task3",), 108, 108), (("task3",), 216, 0)):
        (limit,) = (one for one in charge(load, OWNER, tiles, pinned).violations if one.name == "tiles")
        assert limit.amount[0] == pytest.approx(missing * 96), (pinned, tiles)


def test_a_pinned_task_that_does_not_exist_is_refused() -> None:
    with pytest.raises(dse.DseError, match=r"(?s)'pinned'.*does not have.*expected: names among task0.*found: tsk1"):
        charge(quickstart(), OWNER, 108, ("tsk1",))


def test_estimates_of_switches_are_what_the_next_task_needs_and_the_last_does_not() -> None:
    made = charge(quickstart(), OWNER, 108)

    assert (made.switch_writes[0] / TILE_CELLS / 18).tolist() == [
        [0, 6, 6, 6],
        [6, 0, 5, 3],
        [6, 5, 0, 5],
        [6, 3, 5, 0],
    ]
    assert not charge(quickstart(), OWNER, 360).switch_writes.any()


def test_deltas_need_the_base_beside_their_own_arrays() -> None:
    wanted = demand(workload(2), dse.Plan(np.array([[[0, 1], [2, 2]]])), generator="test")
    on_base = np.zeros((1, 3, 2), dtype=bool)
    on_base[0, 2, 1] = True

    need = needs(wanted, on_base)[0]

    assert need[0].tolist() == [[True, False], [False, True], [False, False]]
    assert need[1].tolist() == [[False, True], [False, False], [True, True]]
