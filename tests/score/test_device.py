"""Devices: a law that cannot be used is refused with one message, and an age must be measured or asked for by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dse
from dse import plugin
from dse.score.device import Device, find_device
from dse.testing import registry
from tests.support.devices import REGISTRY, device_of, wan22


def law(**changes: Any) -> plugin.CellLaw:
    """A law that is exact, with some parts changed."""
    usual = {"program": lambda target, normal: target + 0 * normal, "g_min_us": 1.0, "g_max_us": 40.0}
    values: Any = usual | changes
    return plugin.CellLaw(**values)


def find(built: Any, **options: Any) -> Device | None:
    """The device of a cell model that builds this."""
    record = plugin.CellModel(api=2, name="own", summary="a law", build=lambda _: built)
    return find_device(registry(record), dse.Nonideality(cell_model="own", **options))


def drift(g: Any, target: Any, age_s: float, normal: Any) -> Any:
    del target, normal
    return g / np.float32(age_s)


@pytest.mark.parametrize(
    ("built", "options", "message"),
    [
        ("a law", {}, "has no law\n.*\n.*CellLaw\n.*found: str"),
        (law(program=lambda target, _: target * np.nan), {}, r"NaN or infinity from program\(\)"),
        (law(program=lambda target, _: target[:3]), {}, r"another shape or type from program\(\)\n.*\n.*float32 of shape \(25,\)\n.*found: float32 of shape \(3,\)"),
        (law(program=lambda *_: 1.0), {}, r"another shape or type from program\(\)\n.*\n.*\n.*found: float"),
        (law(program=lambda *_: 1 / 0), {}, r"raised in program\(\): ZeroDivisionError"),
        (law(age=lambda *_: np.inf, ages_s=(1.0, 1e6)), {}, r"another shape or type from age\(\)"),
        (law(read_sigma=lambda g, *_: g - 100), {}, "negative read_sigma"),
        (law(g_max_us=1.0), {}, "numbers that are not usable"),
        (law(stuck_on=0.6, stuck_off=0.6), {}, "stuck shares of 1 at most together"),
        (law(ages_s=(2.0, 1.0)), {}, "ascending ages"),
        (law(levels_us=(1.0, 40.0, 20.0)), {}, "ascending ages and levels"),
        (law(age=drift, ages_s=(1.0, 10.0)), {"cell_age": "1 min"}, "no data at this age\n.*\n.*cell_age from 1 s to 10 s, or extrapolate_age = true.*\n.*found: 1 min = 60 s"),
        (law(age=drift, ages_s=(10.0, 100.0)), {"cell_age": "1 s"}, "no data at this age"),
        (law(), {"voltage_drop": True}, "no resistance of wires"),
    ],
)  # fmt: skip
def test_a_law_that_cannot_be_used_is_refused(built: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(dse.PluginContractError, match=message):
        find(built, **options)


def test_an_age_beyond_the_data_is_used_if_it_is_asked_for() -> None:
    device = find(law(age=drift, ages_s=(1.0, 10.0)), cell_age="1 min", extrapolate_age=True)
    assert device is not None
    one: Any = np.full(3, 40, np.float32)
    np.testing.assert_allclose(device.age(one, one, one), 40 / 60)
    beyond = device_of(wan22().model_copy(update={"cell_age": "1 y", "extrapolate_age": True}))
    sigma = beyond.age(beyond.program(one / 2, one / 40), one / 2, one) - 20
    assert (sigma > device_of(wan22()).age(beyond.program(one / 2, one / 40), one / 2, one) - 20).all()


def test_no_conductance_is_negative() -> None:
    device = find(law(program=lambda target, normal: target + 100 * normal))
    assert device is not None
    assert device.program(np.ones(2, np.float32), np.array([-1, 1], np.float32)).tolist() == [0.0, 101.0]


def test_ideal_cells_need_no_device() -> None:
    assert find_device(REGISTRY, dse.Nonideality()) is None
    with pytest.raises(dse.UnknownNameError, match="did you mean 'wan22'"):
        find_device(REGISTRY, dse.Nonideality(cell_model="wan2"))
