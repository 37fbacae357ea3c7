"""`isaac`: published totals, scaling, and reprogramming against a brute-force oracle."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions

import dse
from dse.charging import digital
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.reference import default_value
from tests.support.workloads import bert_base, minilm, workload

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


TILE = Isaac(IsaacOptions()).tile


def place_of(name: str) -> int:
    """Place of a component among those of the model."""
    return TILE(params()).names.index(name)


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
    tile = TILE(point)

    assert tile.area_mm2() == pytest.approx(0.372, rel=0.01)
    assert tile.power_mw() == pytest.approx(330, rel=0.01)
    assert tile.arrays == 96


def test_minilm_takes_as_many_tiles_as_the_published_mapping() -> None:
    load = minilm()
    area = charged(load).area_mm2.sum(axis=1)[0]
    tile = TILE(params()).area_mm2()

    assert area[:10].sum() == pytest.approx(108 * tile, rel=1e-9)  # 10,368 arrays, 96 a tile
    assert tile == pytest.approx(0.372, rel=0.01)


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


def test_too_small_a_chip_is_a_violation() -> None:
    whole, small = (
        {limit.name: limit.amount[0] for limit in charged(minilm(), tiles=tiles).violations} for tiles in (0, 100)
    )

    assert whole["tiles"] <= 0
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
    load, at = bert_base(4), place_of("links")
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
    digital = [made.area_mm2[..., place_of("digital")].sum() for made in (some, many, more, asked)]
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
        tile = TILE(params()).area_mm2()
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
    assert made.energy_uj[0, 0, 0, place_of("buffer")] == pytest.approx(
        10 * (copies + outputs) * table.EDRAM.event_pj * 1e-6
    )
    router = table.ROUTER.event_pj / table.ROUTER_FLIT_BYTES
    assert made.energy_uj[0, 0, 0, place_of("router")] == pytest.approx(10 * (copies + outputs) * router * 1e-6)


def test_digital_time_has_rescaling_and_biases() -> None:
    made = charged(minilm())
    assert made.occupancy is not None
    outputs = 10 * (3 * 384 + 384 + 1536 + 384)
    rescaling = outputs * digital.RESCALE_OPS
    pairs = 12 * 120.0  # heads, and the mean of the squared number of tokens
    products = 4 * 2 * 32 * pairs
    values = 10 * (2 * (6 + 1) * 384 + 8 * 1536 + 2 * (384 * 3 + 1536)) + 8 * pairs
    expected = products / 1024 / 1200 + (values + rescaling) / 128 / 1200
    assert made.occupancy.digital_us[0, 0, 0] == pytest.approx(expected)


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
