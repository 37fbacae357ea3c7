"""Ratios divide by separate models on the design's own hardware, so that hardware alone buys no ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dse_plugins.compressors.none import Uncompressed
from dse_plugins.generators.independent import Independent
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.schedulers.fixed import Fixed, FixedOptions
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.cost import Built, cost_points
from dse.cost.metrics import cost_results, cost_table
from dse.cost.own_baseline import PAPER, TOTALS, OwnBaseline, Scheme
from dse.cost.reference import default_value
from dse.records.parameters import INPUT_BITS
from dse.records.plugin import KINDS
from dse.testing import tiny_workload

LOAD = tiny_workload(3, hidden=128, ffn=256)
RATIOS = ("area_ratio", "array_area_ratio", "energy_ratio", "latency_ratio")
LEGAL: dict[str, tuple[Any, ...]] = {
    "array_size": (32, 64, 128, 256, 512),
    "cell_bits": (1, 2, 4),
    "adc_bits": (4, 6, 8, 10),
    "dac_bits": (1, 2, 4),
    "encoding": dse.ENCODINGS,
    "arrays_per_ima": (1, 8, 32),
    "adcs_per_ima": (1, 8, 32),
}


def of_hardware(points: int, **changes: Any) -> dse.Params:
    usual = {item.name: default_value(item, LOAD) for item in (*Isaac(IsaacOptions()).parameters(LOAD), INPUT_BITS)}
    return dse.Params(
        points, {name: np.broadcast_to(value, points).copy() for name, value in (usual | changes).items()}
    )


def results(model: Isaac, params: dse.Params) -> list[Any]:
    """Cost separate models without compression, beside the baseline on their own and on the usual hardware."""
    built = Built(
        ("i", "n", "f", "isaac"), Independent(dse.Options()), Uncompressed(dse.Options()), Fixed(FixedOptions()), model
    )
    chosen = {kind: params if kind == "hardware" else dse.Params(params.points) for kind in KINDS}
    usual = cost_points(LOAD, built, {kind: of_hardware(1) if kind == "hardware" else dse.Params(1) for kind in KINDS})
    costed = cost_points(LOAD, built, chosen)
    own = {"": OwnBaseline(LOAD, "isaac", model).cost(params)}
    return cost_results(cost_table(costed, own, usual.costs), LOAD.task_names)


@given(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in LEGAL.items()}),
    st.sampled_from([1, 12, 96, 1000]),
    st.sampled_from([0.0, 0.1]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_no_hardware_makes_separate_models_cheaper_than_themselves(
    values: dict[str, Any], imas: int, static: float
) -> None:
    model = Isaac(IsaacOptions(imas_per_tile=imas, static_share=static, gating="tile"))
    (result,) = results(model, of_hardware(1, **values))
    assert [result.metrics[name] for name in (*RATIOS, "throughput_ratio", "area_ratio_iso")] == [1.0] * 6
    assert result.metrics["static_break_even"] is None


def test_ratios_to_the_reference_hardware_tell_hardware_apart() -> None:
    both = results(Isaac(IsaacOptions()), of_hardware(2, array_size=np.array([128, 512]), adc_bits=np.array([8, 10])))
    first, second = ([result.metrics[f"{name}_reference"] for name in RATIOS] for result in both)
    assert first == [1.0] * 4
    assert second[2] == both[1].metrics["energy_uj"] / both[0].metrics["energy_uj"] != 1.0


def test_a_chip_too_small_for_its_weights_is_compared_with_one_that_holds_them() -> None:
    baseline = OwnBaseline(LOAD, "isaac", Isaac(IsaacOptions()))
    small, whole = (baseline.cost(of_hardware(1, tiles=tiles)) for tiles in (1, 0))
    assert small == whole


def test_each_hardware_is_costed_once_and_in_any_company() -> None:
    class Counted(Isaac):
        points = 0

        def components(self, *arguments: Any) -> dse.Components:
            type(self).points += arguments[-1].points
            return super().components(*arguments)

    sizes = np.array([64, 128, 64, 256, 128])
    baseline = OwnBaseline(LOAD, "isaac", Counted(IsaacOptions()))
    together = baseline.cost(of_hardware(5, array_size=sizes, tiles=np.arange(5)))
    assert Counted.points == 3
    alone = [OwnBaseline(LOAD, "isaac", Isaac(IsaacOptions())).cost(of_hardware(1, array_size=size)) for size in sizes]
    for name in TOTALS:
        np.testing.assert_array_equal(together[name], [float(one[name][0]) for one in alone])
    baseline.cost(of_hardware(3, array_size=64))
    assert Counted.points == 3


def test_a_model_that_charges_no_number_is_named() -> None:
    class Wrong(Isaac):
        def geometry(self, *_: Any) -> dse.Geometry:
            raise ValueError("no geometry")

    with pytest.raises(dse.PluginContractError, match="hardware 'mine' raised in geometry"):
        OwnBaseline(LOAD, "mine", Wrong(IsaacOptions())).cost(of_hardware(1))


def test_four_bits_and_a_sign_take_half_of_the_arrays() -> None:
    """Accounting's number for `best`; each output has a scale of its own in SRAM, so the chip is a little more than half."""
    baseline = OwnBaseline(LOAD, "isaac", Isaac(IsaacOptions()))
    paper, best = (baseline.cost(of_hardware(1), scheme) for scheme in (PAPER, Scheme(4, 8)))
    assert best["array_area_mm2"] == 0.5 * paper["array_area_mm2"]
    assert baseline.cost(of_hardware(1), Scheme(4, 4))["energy_uj"] < best["energy_uj"] < paper["energy_uj"]


def test_input_bits_of_contract_1_are_the_models_own() -> None:
    """They stay what the design has, for its baselines too."""
    old, new = (OwnBaseline(LOAD, "isaac", Isaac(IsaacOptions()), api) for api in (1, 2))
    assert old.cost(of_hardware(1, input_bits=4), PAPER) == new.cost(of_hardware(1), Scheme(None, 4))
    assert new.cost(of_hardware(1, input_bits=4), PAPER) == new.cost(of_hardware(1), PAPER)
