"""`isaac`: published totals, scaling, and reprogramming against a brute-force oracle."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from dse_plugins.hardware.isaac import digital, table
from dse_plugins.hardware.isaac.limits import adc_bits_needed
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import needs, residency
from dse_plugins.hardware.isaac.units import INDEX, units
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.reference import default_value
from tests.support.workloads import bert_base, geometry, minilm, workload

DEFAULTS: dict[str, Any] = {"input_bits": 8} | {
    item.name: default_value(item, workload()) for item in Isaac(IsaacOptions()).parameters(workload())
}


def params(points: int = 1, **changes: Any) -> dse.Params:
    return dse.Params(points, {name: np.array([value] * points) for name, value in (DEFAULTS | changes).items()})


def charged(load: dse.Workload, owner: Any = None, options: Any = None, **changes: Any) -> dse.Components:
    model = Isaac(IsaacOptions(**(options or {})))
    plan = dse.separate_models(load, 1) if owner is None else dse.Plan(np.array([owner]))
    wanted = demand(load, plan, generator="test")
    footprint = dse.whole_footprint(wanted)
    values = params(**changes)
    counts = count(load, wanted, footprint, model.geometry(values))
    return model.components(load, wanted, counts, footprint, values)


def test_the_table_adds_up_to_the_published_chip() -> None:
    chip = table.published_chip()

    assert chip.tile_mm2 == pytest.approx(0.372, rel=0.01)
    assert chip.tile_mw == pytest.approx(330, rel=0.01)
    assert chip.chip_mm2 == pytest.approx(85.4, rel=0.01)
    assert chip.chip_w == pytest.approx(65.8, rel=0.01)
    assert chip.gops_per_w == pytest.approx(627.5, rel=0.01)
    assert chip.gops_per_mm2 == pytest.approx(478.95, rel=0.01)


def test_the_scaled_units_give_the_published_tile_at_isaac_s_own_point() -> None:
    point = params(cell_bits=2, encoding="offset-flip")
    model = Isaac(IsaacOptions())
    unit = units(model.geometry(point), point, model.options)

    assert unit.tile_mm2.sum() == pytest.approx(0.372, rel=0.01)
    assert unit.tile_mw[0] == pytest.approx(330, rel=0.01)
    assert unit.arrays_per_tile[0] == 96
    assert unit.cells[0] == 128 * 129


def test_minilm_takes_as_many_tiles_as_the_published_mapping() -> None:
    load = minilm()
    area = charged(load).area_mm2.sum(axis=1)[0]
    tile = units(Isaac(IsaacOptions()).geometry(params()), params(), IsaacOptions()).tile_mm2[0]

    assert area[:10].sum() == pytest.approx(108 * tile.sum(), rel=1e-9)  # 10,368 arrays, 96 a tile
    assert tile.sum() == pytest.approx(0.372, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({}, 8),
        ({"cell_bits": 2}, 9),
        ({"cell_bits": 2, "encoding": 2}, 8),
        ({"rows": 256, "columns": 256}, 9),
        ({"dac_bits": 2}, 9),
        ({"rows": 64, "columns": 64}, 7),
    ],
)
def test_adc_law(changes: dict[str, int], bits: int) -> None:
    assert adc_bits_needed(geometry(**changes))[0] == bits


@pytest.mark.parametrize(
    ("imas", "changes", "excess"),
    [
        (12, {}, 0.0),
        (24, {}, 1.0),  # twice as many arrays behind one buffer
        (24, {"adcs_per_ima": 4}, 0.0),  # a cycle takes twice as long
        (12, {"dac_bits": 2}, 1.0),
        (12, {"arrays_per_ima": 32, "adcs_per_ima": 32}, 3.0),
        (12, {"array_size": 64}, -0.5),
    ],
)
def test_arrays_take_no_more_inputs_than_a_tile_brings(imas: int, changes: dict[str, Any], excess: float) -> None:
    limits = charged(minilm(), options={"imas_per_tile": imas}, **changes).violations
    (amount,) = (limit.amount[0] for limit in limits if limit.name == "bandwidth")
    assert amount == pytest.approx(excess)


def test_too_few_adc_bits_and_too_small_a_chip_are_violations() -> None:
    few = {limit.name: limit.amount[0] for limit in charged(minilm(), adc_bits=7).violations}
    small = {limit.name: limit.amount[0] for limit in charged(minilm(), tiles=100).violations}

    assert few["adc_bits"] == 1
    assert few["tiles"] <= 0
    assert small["tiles"] == 10_368 - 100 * 96


def test_more_work_never_costs_less() -> None:
    short, long = workload(2), workload(2, layers=3)
    one, other = charged(short), charged(long)

    assert other.area_mm2.sum() >= one.area_mm2.sum()
    assert other.energy_uj.sum() > one.energy_uj.sum()
    assert other.latency_us.sum() > one.latency_us.sum()


@pytest.mark.parametrize(
    ("name", "low", "high", "metric"),
    [
        ("cell_bits", 2, 1, "area_mm2"),
        ("adc_bits", 8, 9, "area_mm2"),
        ("adc_bits", 8, 9, "energy_uj"),
        ("adcs_per_ima", 4, 8, "area_mm2"),
        ("adcs_per_ima", 8, 4, "latency_us"),
        ("dac_bits", 2, 1, "latency_us"),
        ("input_bits", 4, 16, "energy_uj"),
        ("tiles", 0, 200, "area_mm2"),
        ("arrays_per_ima", 8, 16, "latency_us"),
    ],
)
def test_every_knob_moves_what_it_should(name: str, low: Any, high: Any, metric: str) -> None:
    load = minilm()

    assert getattr(charged(load, **{name: low}), metric).sum() < getattr(charged(load, **{name: high}), metric).sum()


def test_old_options_of_static_power_mean_the_new_ones_and_say_so() -> None:
    with pytest.warns(FutureWarning, match="leakage_share is now static_adc_share and static_share"):
        old = IsaacOptions.model_validate({"leakage_share": 0.1, "links": True})
    assert old == IsaacOptions(static_adc_share=0.1, static_share=0.1, gating="tile")
    with pytest.warns(FutureWarning, match="links follow from die_mm2"):
        assert IsaacOptions.model_validate({"links": True}) == IsaacOptions()


def test_a_large_chip_is_several_dies_with_links_and_what_crosses_them_costs_energy() -> None:
    load, at = bert_base(4), INDEX["links"]
    one, two = charged(load, options={"die_mm2": 1e6}), charged(load)
    whole = one.area_mm2.sum()

    assert 1200 < whole < 1600  # two dies of 800
    assert one.area_mm2[..., at].sum() == one.energy_uj[..., at].sum() == 0
    assert two.area_mm2[..., at].sum() == pytest.approx(2 * 22.88)
    assert two.power is not None
    assert two.power.links_w[0] == pytest.approx(2 * 10.4)
    crossed = two.energy_uj[0, :, :, at]
    assert np.count_nonzero(crossed) == 0  # the third task's model begins with the second die
    odd = charged(bert_base(3)).energy_uj[0, :, :, at]
    assert np.argwhere(odd).tolist() == [[1, 6]]  # half of the second task's layers lie on each die
    assert odd.sum() == pytest.approx(10 * 768 * 406e-6)


def test_a_digital_unit_serves_a_stated_number_of_tiles() -> None:
    load = minilm(2)  # 216 tiles
    some, many, more = (charged(load, options={"tiles_per_digital_unit": tiles}) for tiles in (1000, 168, 54))
    asked = charged(load, digital_units=3)

    assert [made.occupancy.digital_units[0] for made in (some, many, more, asked) if made.occupancy] == [1, 2, 4, 3]
    digital = [made.area_mm2[..., INDEX["digital"]].sum() for made in (some, many, more, asked)]
    assert digital == pytest.approx([digital[0] * count for count in (1, 2, 4, 3)])
    assert some.occupancy is not None
    assert more.occupancy is not None
    assert more.occupancy.digital_us.sum() == pytest.approx(some.occupancy.digital_us.sum() / 4)
    assert more.energy_uj.sum() == pytest.approx(some.energy_uj.sum())


def test_replicas_of_each_owner_are_charged_and_serve_more_requests() -> None:
    load = minilm(2)
    owner = [[0, 0, 0, 1, 1, 1], [0, 0, 0, 2, 2, 2]]
    once, twice = (charged(load, owner, base_replicas=2, task_replicas=copies) for copies in (1, 3))

    for made, tiles in ((once, 2 * 54 + 2 * 54), (twice, 2 * 54 + 3 * 2 * 54)):
        tile = units(Isaac(IsaacOptions()).geometry(params()), params(), IsaacOptions()).tile_mm2[0].sum()
        assert made.area_mm2[..., :10].sum() == pytest.approx(tiles * tile)
        assert made.array_area_mm2[0] == pytest.approx(tiles * tile)
    assert twice.energy_uj.sum() == pytest.approx(once.energy_uj.sum())
    assert once.occupancy is not None
    resized = once.occupancy.resize(np.array([[2, 1, 3]]), np.ones(1))
    assert resized[0] == pytest.approx(twice.area_mm2.sum())


def test_the_first_token_s_attention_waits_once_for_the_last_key() -> None:
    load = minilm()
    made = charged(load)
    assert made.power is not None
    vectors = 6 * (10 + 4 - 1) + 10  # layers * (tokens + stages - 1) + tokens
    assert made.power.on_us.sum() == pytest.approx((vectors * 8 + 6 * 4 * table.PIPELINE_CYCLES) * 0.1)
    late = charged(load, [[-1, 1, 1, 1, 1, 1]])
    assert late.power is not None
    assert late.power.on_us[0, 0, 0] == 0
    assert late.power.on_us[0, 0, 1] - late.power.on_us[0, 0, 2] == pytest.approx(10 * 0.8)


def test_an_input_goes_once_to_every_tile_that_holds_a_part_of_it() -> None:
    made = charged(bert_base())
    # Arrays behind a row of each matrix, by 96 arrays a tile: query, key, value 288; the FFN's first 384; the others 96.
    copies = 768 * 3 + 768 * 1 + 768 * 4 + 3072 * 1
    outputs = 3 * 768 + 768 + 3072 + 768
    assert made.energy_uj[0, 0, 0, INDEX["buffer"]] == pytest.approx(
        10 * (copies + outputs) * table.EDRAM.event_pj * 1e-6
    )
    router = table.ROUTER.event_pj / table.ROUTER_FLIT_BYTES
    assert made.energy_uj[0, 0, 0, INDEX["router"]] == pytest.approx(10 * (copies + outputs) * router * 1e-6)


def test_digital_time_has_rescaling_and_biases() -> None:
    made = charged(minilm())
    assert made.occupancy is not None
    outputs = 10 * (3 * 384 + 384 + 1536 + 384)
    rescaling = outputs * table.RESCALE_OPS / 128 / 1200
    without = digital.layer(
        minilm(),
        digital.Widths(*(np.full((1, 1, 1), size) for size in (12.0, 1536.0, 384.0 * 3 + 1536))),
        units(Isaac(IsaacOptions()).geometry(params()), params(), IsaacOptions()).digital,
        IsaacOptions(),
    )[1]
    assert made.occupancy.digital_us[0, 0, 0] == pytest.approx(rescaling + without.item())


def oracle(need: np.ndarray, size: np.ndarray, pinned: set[tuple[int, int]], order: tuple[int, ...]) -> int:
    """Arrays written in one cycle, by keeping the swap region's contents as a set and writing what is not there."""
    segments = [{tuple(map(int, at)) for at in np.argwhere(need[task])} - pinned for task in range(len(need))]
    held = segments[order[-1]]
    written = 0
    for task in order:
        written += sum(int(size[at]) for at in segments[task] - held)
        held = segments[task]
    return written


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.floats(0.2, 1.2))
@settings(max_examples=120, deadline=None, derandomize=True)
def test_every_order_writes_what_a_simulated_chip_writes(seed: int, tasks: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    load = workload(tasks, layers=3)
    own = np.arange(1, tasks + 1)[:, None]
    owner = np.where(np.arange(3) < rng.integers(0, 4, size=(tasks, 1)), dse.BASE, own)[None]
    wanted = demand(load, dse.Plan(owner), generator="test")
    on_base = rng.random((1, 1 + tasks, 3)) < 0.3
    on_base[:, dse.BASE] = False
    size = rng.integers(1, 20, size=(1, 1 + tasks, 3)).astype(float)
    need = needs(wanted, on_base)
    size *= need.any(axis=1)
    room = np.floor(size.sum() * share)
    held = residency(need, size, np.array([room]))
    largest = (need * size[:, None]).sum(axis=(2, 3)).max()

    assert held.resident[0] == (size.sum() <= room)
    assert held.missing[0] == (0 if held.resident[0] else largest - room)
    if held.missing[0] > 0:
        return
    for order in itertools.permutations(range(tasks)):
        cycle = sum(held.written[0, last, task] for last, task in zip((order[-1], *order), order, strict=False))
        pinned = pinned_segments(need[0], size[0], room)
        assert cycle == oracle(need[0], size[0], pinned, order) * (not held.resident[0])


def pinned_segments(need: np.ndarray, size: np.ndarray, room: float) -> set[tuple[int, int]]:
    """The pinning rule once more, in plain Python: most users first while the largest remaining need still fits."""
    users = {(o, layer): int(need[:, o, layer].sum()) for o in range(size.shape[0]) for layer in range(size.shape[1])}
    pinned: set[tuple[int, int]] = set()
    for segment in sorted(users, key=lambda at: (-users[at], at)):
        if not users[segment]:
            continue
        trial = pinned | {segment}
        swap = max(sum(size[tuple(at)] for at in np.argwhere(one) if tuple(at) not in trial) for one in need)
        if sum(size[at] for at in trial) + swap <= room:
            pinned = trial
    return pinned


def test_order_changes_energy_and_latency_where_the_chip_is_smaller_than_the_weights() -> None:
    load = workload(4, layers=6, hidden=384, ffn=1536, heads=12)
    depth = [0, 5, 1, 3]
    owner = [[dse.BASE if layer < depth[task] else task + 1 for layer in range(6)] for task in range(4)]
    tiles = charged(load, owner, tiles=110)
    cycles = {}
    for order in itertools.permutations(range(4)):
        steps = list(zip((order[-1], *order), order, strict=False))
        cycles[order] = (
            sum(tiles.switch_energy_uj[0, last, task] for last, task in steps),
            sum(tiles.switch_latency_us[0, last, task] for last, task in steps),
        )

    assert len({round(energy, 6) for energy, _ in cycles.values()}) > 1
    assert max(cycles.values())[1] > min(cycles.values())[1]


def test_cells_that_survive_no_write_are_refused() -> None:
    with pytest.raises(dse.DseError, match="endurance") as caught:
        dse.Registry().discover().build("hardware", "isaac", {"endurance": 0})

    assert "greater than 0" in str(caught.value)
