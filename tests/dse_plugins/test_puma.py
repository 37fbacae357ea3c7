"""`puma`: published costs, and wordlines that take turns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dse_plugins.hardware.puma import dse_hardware_models, table
from dse_plugins.hardware.puma.model import Puma
from dse_plugins.hardware.puma.options import PumaOptions

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.cost.limits import find_clipping
from dse.testing.anchors import cost_product, find_differences
from tests.support.workloads import minilm, workload

MODEL = Puma(PumaOptions())
(RECORD,) = dse_hardware_models()
DEFAULTS: dict[str, Any] = {"input_bits": 8} | {item.name: item.default for item in MODEL.parameters(workload())}  # type: ignore[union-attr]  # only orders have no default


def params(**changes: Any) -> dse.Params:
    return dse.Params(1, {name: np.array([value]) for name, value in (DEFAULTS | changes).items()})


def charged(**changes: Any) -> dse.Components:
    load, values = minilm(), params(**changes)
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    footprint = dse.whole_footprint(wanted)
    counts = count(load, wanted, footprint, MODEL.geometry(values))
    return MODEL.components(load, wanted, counts, footprint, values)


def test_published_costs_are_reproduced_and_stand_on_the_page() -> None:
    assert not find_differences(MODEL, RECORD.anchors)
    product, tile = (cost_product(MODEL, anchor) for anchor in RECORD.anchors)
    assert product["energy_pj"] == pytest.approx(44_760, rel=1e-3)
    assert product["time_ns"] == pytest.approx(2304)
    assert tile["area_mm2"] == pytest.approx(0.0314, rel=1e-2)


def test_an_mvmu_adds_up_to_the_published_power() -> None:
    """Eight crossbars with their converters, drivers and registers: 19.09 mW."""
    mvmu = sum(
        row.power_mw * (8 if row.component == "adc" else 1) * table.ARRAYS_PER_MVMU / row.per
        for row in table.ROWS_OF_TABLE
        if row.per <= table.ARRAYS_PER_MVMU
    )
    assert mvmu == pytest.approx(19.09, rel=0.02)


def test_wordlines_that_take_turns_change_time_and_conversions_but_no_crossbar() -> None:
    whole, some = charged(), charged(active_rows=16)
    adc = whole.names.index("adc")

    assert some.area_mm2.sum() == pytest.approx(whole.area_mm2.sum(), rel=1e-3)
    assert some.power is not None
    assert whole.power is not None
    assert some.power.on_us.sum() == pytest.approx(8 * whole.power.on_us.sum())
    assert some.energy_uj[..., adc].sum() == pytest.approx(8 * whole.energy_uj[..., adc].sum(), rel=1e-2)
    arrays = whole.names.index("arrays")
    assert some.energy_uj[..., arrays].sum() == pytest.approx(whole.energy_uj[..., arrays].sum())
    assert some.switch_energy_uj.sum() == whole.switch_energy_uj.sum() == 0


@pytest.mark.parametrize(("rows", "missing"), [(128, 0), (64, -1), (16, -3), (8, -4)])
def test_fewer_wordlines_need_fewer_bits(rows: int, missing: int) -> None:
    assert find_clipping(MODEL.geometry(params(active_rows=rows))).amount[0] == missing


def test_more_bits_take_more_energy() -> None:
    assert charged(adc_bits=9).energy_uj.sum() > charged(adc_bits=8).energy_uj.sum()
