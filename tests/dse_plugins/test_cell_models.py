"""Built-in cell models: their published laws, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dse
from dse.score.device import Device
from tests.support.devices import REGISTRY, device_of

DAY = 86400.0


def find(model: str, age: str = "1 d", **options: Any) -> Device:
    return device_of(dse.Nonideality(cell_model=model, cell_age=age, cell_options=options, extrapolate_age=True))


def at(device: Device, target: float, normal: float = 0.0, later: float = 0.0) -> float:
    """Conductance of one cell at the device's age."""
    one = np.ones(1, np.float32)
    g = device.program(target * one, normal * one)
    return float(device.age(g, target * one, later * one)[0])


@pytest.mark.parametrize("age", [1.0, DAY, 2 * DAY])
@pytest.mark.parametrize("g", [1.0, 20.0, 40.0])
def test_wan22_has_the_published_deviation(age: float, g: float) -> None:
    coefficients = {
        1.0: [-16.815, 45.393, -43.853, 16.030, 0.348],
        DAY: [-16.458, 47.095, -50.773, 22.086, 0.701],
        2 * DAY: [-11.934, 37.062, -43.507, 20.274, 0.782],
    }
    sigma = float(np.polyval(coefficients[age], g / 40))
    device = find("wan22", f"{age} s")
    assert at(device, g, 0.5) == pytest.approx(g + 0.5 * sigma, rel=1e-5)
    assert at(device, g, 0.5, later=2.0) == at(device, g, 0.5)
    assert (device.law.stuck_on, device.law.stuck_off) == (0.001, 0.001)  # the nominal device of a claim


def test_wan22_widens_with_the_logarithm_of_time() -> None:
    between, first, second = (at(find("wan22", age), 20.0, 1.0) - 20 for age in ("300 s", "1 s", "1 d"))
    assert between == pytest.approx(first + np.log(300) / np.log(DAY) * (second - first), rel=1e-5)
    late = at(find("wan22", "8 d"), 20.0, 1.0) - 20
    third = at(find("wan22", "2 d"), 20.0, 1.0) - 20
    assert late == pytest.approx(second + 3 * (third - second), rel=1e-4)


def test_wan22_reads_with_noise_if_it_is_asked_for() -> None:
    one = np.ones(2, np.float32)
    assert not find("wan22").is_noisy
    np.testing.assert_allclose(find("wan22", read_noise=0.01).read_sigma(one, one), 0.4)


def test_cmo_hfox_relaxes_with_the_logarithm_of_time() -> None:
    device, passed = find("cmo-hfox", "1 y"), np.log(365 * DAY)
    mean, sigma = 50 - 0.08900206 * passed, 0.04201137 * passed + 0.41183342
    assert at(device, 50.0) == pytest.approx(mean, rel=1e-6)
    assert at(device, 50.0, later=2.0) == pytest.approx(mean + 2 * sigma, rel=1e-6)
    assert at(device, 50.0, normal=1.0) == pytest.approx(mean + 0.00081107 + 0.00106879 * 50, rel=1e-6)
    assert (at(device, 9.0, later=-9.0), at(device, 88.0, later=9.0)) == pytest.approx((9.0, 88.19))
    noise = device.read_sigma(np.full(1, 50, np.float32), np.full(1, 50, np.float32))
    year = 365 * DAY
    assert noise == pytest.approx(0.0277316483 * np.log10(50) * np.sqrt(np.log((year + 1e-6) / 2e-6)), rel=1e-5)


def test_pcm_drifts_as_a_power_of_time() -> None:
    device, target = find("pcm", "1 d"), 10.0
    x = target / 25
    exponent = np.clip(-0.0155 * np.log(x) + 0.0244, 0.049, 0.1) + 2 * np.clip(
        -0.0125 * np.log(x) - 0.0059, 0.008, 0.045
    )
    programmed = target + 0.5 * (0.26348 + 1.9650 * x - 1.1731 * x**2)
    aged = programmed * ((DAY + 20) / 20) ** -exponent
    assert at(device, target, 0.5, 2.0) == pytest.approx(aged, rel=1e-5)
    share = min(0.0088 / (programmed / 25) ** 0.65, 0.2)
    noise = device.read_sigma(np.full(1, aged, np.float32), np.full(1, programmed, np.float32))
    assert noise == pytest.approx(aged * share * np.sqrt(np.log((DAY + 20 + 250e-9) / 500e-9)), rel=1e-4)


@pytest.mark.parametrize("name", ["wan22", "lognormal", "cmo-hfox", "pcm"])
def test_every_model_names_its_source_and_its_device(name: str) -> None:
    assert REGISTRY.get("cell_model", name).source
    device = find(name, on_off_ratio=5.0, stuck_on=0.25, wire_ohm=3.0)
    assert device.law.g_max_us / device.law.g_min_us == pytest.approx(5.0)
    assert (device.law.stuck_on, device.law.wire_ohm) == (0.25, 3.0)
    assert find(name).identity != device.identity
