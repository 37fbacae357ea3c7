"""`neurosim`: ADC laws, what its knobs do to area and energy, and what it shares with `isaac`."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.neurosim import costs
from dse_plugins.hardware.neurosim.model import BETWEEN, NODES, NeuroSim
from dse_plugins.hardware.neurosim.options import NeuroSimOptions

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.schedule import listed_order
from dse.cost.sum import total as total_costs
from tests.support.workloads import minilm, workload

ROOT = Path(__file__).resolve().parents[2]
MODEL = NeuroSim(NeuroSimOptions())
DEFAULTS: dict[str, Any] = {"input_bits": 8} | {item.name: item.default for item in MODEL.parameters(workload())}  # type: ignore[union-attr]
KNOWN = costs.read_packaged()


def params(**changes: Any) -> dse.Params:
    return dse.Params(1, {name: np.array([value]) for name, value in (DEFAULTS | changes).items()})


def charged(load: dse.Workload, options: Any = None, **changes: Any) -> dse.Components:
    model = NeuroSim(NeuroSimOptions(**(options or {})))
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    footprint = dse.whole_footprint(wanted)
    values = params(**changes)
    counts = count(load, wanted, footprint, model.geometry(values))
    return model.components(load, wanted, counts, footprint, values)


def total(metric: str, load: dse.Workload | None = None, options: Any = None, **changes: Any) -> float:
    return float(getattr(charged(load or minilm(), options, **changes), metric).sum())


def test_a_table_of_one_s_own_is_used(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    text = costs.PACKAGED.read_text(encoding="utf-8")
    own.write_text(text.replace("buffer_mm2 = 0.100644", "buffer_mm2 = 0.201288"), encoding="utf-8")
    plain, changed = (charged(minilm(), options) for options in ({}, {"table": str(own)}))
    at = plain.names.index("buffer")

    assert changed.area_mm2[..., at].sum() == pytest.approx(2 * plain.area_mm2[..., at].sum())


@pytest.mark.parametrize("law", adc_laws.LAWS)
@pytest.mark.parametrize("metric", ["area_mm2", "energy_uj"])
def test_more_adc_bits_are_never_cheaper(law: str, metric: str) -> None:
    found = [total(metric, options={"adc_law": law}, adc_bits=int(bits)) for bits in KNOWN.bits]
    assert all(less < more for less, more in itertools.pairwise(found))


@pytest.mark.parametrize("law", adc_laws.LAWS)
def test_a_larger_node_is_never_smaller(law: str) -> None:
    found = [total("area_mm2", options={"adc_law": law}, node_nm=node) for node in sorted((*NODES, *BETWEEN))]
    assert all(less < more for less, more in itertools.pairwise(found))


def test_halving_the_bits_of_a_cell_raises_the_number_of_arrays_and_the_area() -> None:
    load = minilm()
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    footprint = dse.whole_footprint(wanted)
    arrays = [count(load, wanted, footprint, MODEL.geometry(params(cell_bits=bits))).arrays.sum() for bits in (4, 2, 1)]
    areas = [total("area_mm2", cell_bits=bits) for bits in (4, 2, 1)]

    assert arrays == [arrays[0], 2 * arrays[0], 4 * arrays[0]]
    assert areas == sorted(set(areas))


@pytest.mark.parametrize(
    ("name", "less", "more", "metric"),
    [
        ("dac_bits", 1, 2, "area_mm2"),
        ("dac_bits", 2, 1, "latency_us"),
        ("adcs_per_ima", 4, 8, "area_mm2"),
        ("adcs_per_ima", 8, 4, "latency_us"),
        ("input_bits", 4, 16, "energy_uj"),
        ("tiles", 0, 200, "area_mm2"),
    ],
)
def test_every_knob_moves_what_it_should(name: str, less: Any, more: Any, metric: str) -> None:
    assert total(metric, **{name: less}) < total(metric, **{name: more})


def test_devices_and_densities_change_the_energy_of_arrays_only() -> None:
    plain = charged(minilm())
    for options in ({"device": "neurosim-1.3"}, {"input_density": 0.9}, {"cell_density": 0.9}):
        other = charged(minilm(), options)
        changed = np.flatnonzero((other.energy_uj != plain.energy_uj).any(axis=(0, 1, 2)))
        assert {plain.names[index] for index in changed} - {"dac"} == {"arrays"}
        assert other.energy_uj.sum() > plain.energy_uj.sum()


def test_it_maps_weights_as_isaac_does_and_counts_the_same_events() -> None:
    """With ISAAC's converters at 32 nm, they cost in a chip of `neurosim` what they cost in one of `isaac`."""
    load = minilm(2)
    ours = charged(load, {"adc_law": "isaac"})
    at = ours.names.index("adc")
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    footprint = dse.whole_footprint(wanted)
    isaac = Isaac(IsaacOptions())
    counts = count(load, wanted, footprint, isaac.geometry(params()))
    theirs = isaac.components(load, wanted, counts, footprint, params())

    np.testing.assert_allclose(ours.area_mm2[..., at], theirs.area_mm2[..., at])
    np.testing.assert_allclose(ours.energy_uj[..., at], theirs.energy_uj[..., at])
    np.testing.assert_array_equal(ours.latency_us, theirs.latency_us)
    np.testing.assert_array_equal(ours.switch_energy_uj, theirs.switch_energy_uj)


def test_one_array_costs_what_the_table_says_of_it() -> None:
    tile = MODEL.tile(params(array_size=256, node_nm=65, arrays_per_ima=4))
    row = {name: value[0] for name, value in KNOWN.array("neurosim", np.array([65]), np.array([256])).items()}
    logic = {name: value[0] for name, value in KNOWN.logic(np.array([65])).items()}
    cell_fj = 0.5 * (0.5 * row["on_fj"] + 0.5 * row["off_fj"])

    assert tile.area_mm2("arrays") / 48 == pytest.approx((256 * 256 * row["cell_um2"] + row["columns_um2"]) * 1e-6)
    assert tile.area_mm2("dac") / 48 == pytest.approx(row["row_um2"] * 1e-6)
    assert tile.event_pj("arrays", "read") == pytest.approx(256 * 256 * cell_fj * 1e-3)
    assert tile.event_pj("dac", "drive") == pytest.approx((row["row_pj"] + row["row_idle_pj"]) / 2)
    assert tile.area_mm2("buffer") == logic["buffer_mm2"]
    assert tile.event_pj("router", "byte") == pytest.approx(table.ROUTER.event_pj / 4 * logic["energy_from_isaac"])


def test_converters_are_a_part_of_the_tile_s_peak_power() -> None:
    tile = MODEL.tile(params())
    assert 0 < tile.power_mw("adc") < tile.power_mw()
    made = charged(minilm())
    assert made.power is not None
    assert made.power.chip_w[0, 0] == pytest.approx(108 * tile.power_mw("adc") * 1e-3)


@pytest.mark.parametrize("model", [MODEL, Isaac(IsaacOptions(adc_law="linear"))])
def test_alternatives_are_what_the_model_charges_under_each_law(model: Any) -> None:
    load, kind = minilm(), type(model)
    offered = {item.name: item for item in model.alternatives(params(adc_bits=6, node_nm=45))}
    values = params(adc_bits=6, node_nm=45)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    footprint = dse.whole_footprint(wanted)

    def components(chosen: Any) -> dse.Components:
        counts = count(load, wanted, footprint, chosen.geometry(values))
        made: dse.Components = chosen.components(load, wanted, counts, footprint, values)
        return made

    before = components(model)
    assert set(offered) == {f"ADC law {law}" for law in adc_laws.LAWS}
    for law in adc_laws.LAWS:
        after = components(kind(model.options.model_copy(update={"adc_law": law})))
        item = offered[f"ADC law {law}"]
        for what, field in (("area", "area_mm2"), ("energy", "energy_uj")):
            factors = np.ones(len(before.names))
            for name, factor in getattr(item, what).items():
                factors[before.names.index(name)] = factor[0]
            np.testing.assert_allclose(getattr(before, field) * factors, getattr(after, field))


def test_a_law_says_which_resolutions_it_knows() -> None:
    with pytest.raises(dse.PluginContractError, match=r"ADC law `isaac`[\s\S]*4 to 10 bits[\s\S]*3 to 3"):
        adc_laws.relative("isaac", np.array([3]))


def least_energy(kind: Any, options: Any) -> str:
    """Array of 64 to 512 rows with the least energy, one ADC an array and as many bits as it needs, at most 10."""
    load = minilm(4)
    sweep = [
        (size, cell, bits)
        for size in (64, 128, 256, 512)
        for cell in (1, 2, 4)
        if (bits := math.ceil(math.log2(size * (2**cell - 1) + 1))) <= 10
    ]
    model = kind(options)
    values = {name: np.full(len(sweep), value) for name, value in DEFAULTS.items()}
    values |= {
        name: np.array(found)
        for name, found in zip(("array_size", "cell_bits", "adc_bits"), zip(*sweep, strict=True), strict=True)
    }
    every = dse.Params(len(sweep), values)
    wanted = demand(load, dse.separate_models(load, every.points), generator="test")
    footprint = dse.whole_footprint(wanted)
    counts = count(load, wanted, footprint, model.geometry(every))
    energy = total_costs(
        load,
        wanted,
        model.components(load, wanted, counts, footprint, every),
        listed_order(load, every.points),
        who="test",
    ).energy_uj
    size, cell, bits = sweep[int(energy.argmin())]
    return f"{size} x {size}, {cell} bits, ADC {bits} bits"


def test_the_array_that_takes_least_energy_depends_on_the_law_as_the_page_says() -> None:
    page = (ROOT / "docs" / "neurosim.md").read_text(encoding="utf-8")
    found = {
        law: (
            least_energy(Isaac, IsaacOptions(adc_law=law)),
            least_energy(NeuroSim, NeuroSimOptions(adc_law=law)),
        )
        for law in adc_laws.LAWS
    }

    assert len(set(found.values())) > 1
    for law, cells in found.items():
        assert f"| `{law}` | {' | '.join(cells)} |" in page


def test_the_page_has_the_costs_of_converters_under_each_law() -> None:
    page = (ROOT / "docs" / "neurosim.md").read_text(encoding="utf-8")
    for law in adc_laws.LAWS:
        area, energy = adc_laws.relative(law, np.array([4, 8, 10]))
        areas = ", ".join(f"{1200 * value:.0f}" for value in area)
        energies = ", ".join(f"{1.5625 * value:.{1 if value > 5 else 2}f}" for value in energy)
        assert f"{areas} µm²; {energies} pJ |" in page
