"""Absolute costs of baselines on a design's own hardware."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions

import dse
from dse.charging import tile
from dse.cost.baseline import whole_footprint
from dse.cost.comparisons import Comparisons, store_digitally
from dse.cost.cost import Built, cost_points
from dse.cost.demand import demand
from dse.cost.own_baseline import OwnBaseline, Scheme
from dse.plugins.base import Base
from dse.records.layout import Layout
from dse.records.plan import Plan
from tests.dse_plugins.test_isaac import params
from tests.support.workloads import minilm

BEST = Scheme(4, 6)
CELLS = 6 * (4 * 384 * 384 + 2 * 384 * 1536)
"""Weights of one MiniLM-L6."""


class Whole(Base):
    """All tasks' own models in 8 bits, in the listed order."""

    def plan(self, workload: dse.Workload, given: dse.Params) -> Plan:
        return dse.separate_models(workload, given.points)

    def footprint(self, workload: dse.Workload, demand: dse.Demand, geometry: dse.Geometry, given: dse.Params) -> Any:
        del workload, geometry, given
        return whole_footprint(demand)

    def order(self, components: dse.Components, workload: dse.Workload, given: dse.Params) -> dse.Schedule:
        del components
        return dse.listed_order(workload, given.points)


def compare(tasks: int = 2, **hardware: Any) -> dict[str, dict[str, float | None]]:
    plain: Any = Whole()
    built = Built(("g", "c", "s", "isaac"), plain, plain, plain, Isaac(IsaacOptions()))
    chosen = {kind: dse.Params(1) for kind in ("generator", "compressor", "scheduler")}
    given: Any = {**chosen, "hardware": params(**hardware)}
    load = minilm(tasks)
    comparisons = Comparisons(OwnBaseline(load, "isaac", built.hardware))
    costed = cost_points(load, built, given)
    (found,) = comparisons.cost(costed, given["hardware"], BEST, costed.costs.find("throughput_rps"))
    return found


def test_baselines_of_a_design_that_keeps_its_weights_on_the_chip() -> None:
    found = compare()
    assert list(found) == ["paper", "best", "digital", "digital-best"]
    halved = 2 * (found["best"]["array_area_mm2"] or 0)
    assert halved == pytest.approx(found["paper"]["array_area_mm2"])  # 4 of 8 slices
    for name, bits in (("digital", 8 + 1), ("digital-best", 4 + 1)):
        row = found[name]
        assert row["array_area_mm2"] == 0
        codes = 2 * CELLS * bits * tile.SRAM_BIT_MM2
        assert row["area_mm2"] is not None
        assert codes < row["area_mm2"] < 1.5 * codes + 200
        assert row["throughput_rps"] >= found["paper"]["throughput_rps"] * (1 - 1e-9)  # type: ignore[operator]
    assert found["digital"]["area_mm2"] > found["digital-best"]["area_mm2"]  # type: ignore[operator]


def test_a_chip_that_writes_is_compared_with_one_that_holds_a_model_at_a_time() -> None:
    found = compare(tiles=120)
    row = found["time-shared"]
    one_tile = Isaac(IsaacOptions()).tile(params()).area_mm2()
    assert row["array_area_mm2"] == pytest.approx(54 * one_tile)  # one model of 108 tiles in half the slices
    assert row["writes"] > 0  # type: ignore[operator]
    assert row["lifetime_years"] is not None
    assert found["paper"]["writes"] == 0


def test_many_designs_at_once_are_each_compared_as_if_alone() -> None:
    load, plain = minilm(3), Whole()
    values = {"tiles": np.array([0, 200, 0]), "adcs_per_ima": np.array([8, 8, 2])}
    hardware = dse.Params(3, {**params(3), **values})
    built = Built(("g", "c", "s", "isaac"), plain, plain, plain, Isaac(IsaacOptions()))  # type: ignore[arg-type]
    given: Any = {kind: dse.Params(3) for kind in ("generator", "compressor", "scheduler")} | {"hardware": hardware}
    costed = cost_points(load, built, given)
    comparisons = Comparisons(OwnBaseline(load, "isaac", built.hardware))

    together = comparisons.cost(costed, hardware, BEST, costed.costs.find("throughput_rps"))

    alone = [compare(3, **{name: column[point] for name, column in values.items()}) for point in range(3)]
    assert [list(found) for found in together] == [list(found) for found in alone]
    assert "time-shared" in together[1]
    for one, other in zip(together, alone, strict=True):
        for name, columns in one.items():
            assert columns == pytest.approx(other[name])


class NoDigitalCodes(Isaac):
    """A model that knows no codes beside its arrays."""

    def components(self, *given: Any) -> dse.Components:
        footprint = given[3]
        if any(piece.digital for piece in footprint.pieces):
            raise ValueError("no digital codes")
        return super().components(*given)


def test_a_baseline_that_the_hardware_cannot_hold_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "Isaac", NoDigitalCodes)
    assert list(compare()) == ["paper", "best"]


def test_codes_in_sram_take_their_bits_and_a_sign() -> None:
    wanted = demand(minilm(1), dse.separate_models(minilm(1), 1), generator="test")
    before = whole_footprint(wanted, 15, per_output=True)
    after = store_digitally(Layout(wanted, before)).footprint
    assert all(piece.digital for piece in after.pieces)
    assert (after.digital_bits - before.digital_bits).sum() == CELLS * 5
    assert store_digitally(Layout(wanted, after)).footprint.digital_bits.sum() == np.sum(after.digital_bits)
