"""Device files: what was measured comes back, and every mistake in a file has one message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dse
from dse.score.device import Device, find_device

TOML = """source = "lab book 7"
wire_ohm = 2
stuck_on = 0.001
target_us = [1, 10, 20, 40]
sigma_us = [0.5, 1, 2, 2]
"""
CSV = """# source = "lab book 8"
# stuck_off = 0.01
age_s, target_us, mean_us, sigma_us, read_sigma_us
86400, 1, 1, 0.5, 0.1
86400, 20, 20, 1, 0.1
86400, 40, 40, 1, 0.2
8640000, 1, 2, 1, 0.1
8640000, 20, 18, 3, 0.1
8640000, 40, 36, 4, 0.2
"""
DRIFT = TOML + "drift = [0.1, 0.05, 0.05, 0.05]\ndrift_sigma = [0, 0.01, 0.01, 0.01]\n"


def device(folder: Path, text: str, **options: Any) -> Device:
    """The device of a file with this text."""
    file = folder / ("own.csv" if text.startswith("#") else "own.toml")
    file.write_text(text, encoding="utf-8")
    found = find_device(dse.Registry(), dse.Nonideality(cell_model=str(file), **options))
    assert found is not None
    return found


def vector(*numbers: float) -> Any:
    return np.array(numbers, dtype=np.float32)


def test_levels_are_linear_between_those_of_the_file(tmp_path: Path) -> None:
    found = device(tmp_path, TOML, cell_options={"stuck_off": 0.5})
    np.testing.assert_allclose(found.program(vector(10, 15, 40), vector(1, 1, -1)), [11, 16.5, 38])
    law = found.law
    assert (law.g_min_us, law.g_max_us, law.wire_ohm, law.stuck_on, law.stuck_off) == (1, 40, 2, 0.001, 0.5)
    assert list(law.levels_us) == [1, 10, 20, 40]
    assert (bool(found.ages), found.is_noisy) == (False, False)


def test_a_cell_keeps_its_rank_between_measured_ages(tmp_path: Path) -> None:
    for age, share in (("1 d", 0.0), ("10 d", 0.5), ("100 d", 1.0)):
        found = device(tmp_path, CSV, cell_age=age)
        target, normal = vector(1, 20, 40), vector(1, -1, 2)
        g = found.age(found.program(target, normal), target, normal * 0)
        mean, sigma = (
            np.array([1, 20, 40]) + share * np.array([1, -2, -4]),
            np.array([0.5, 1, 1]) + share * np.array([0.5, 2, 3]),
        )
        np.testing.assert_allclose(g, mean + sigma * normal, rtol=1e-5)
        np.testing.assert_allclose(found.read_sigma(g, target), [0.1, 0.1, 0.2], rtol=1e-5)
    assert found.law.ages_s == (86400, 8640000)


def test_drift_is_a_power_of_time_with_an_exponent_of_each_cell(tmp_path: Path) -> None:
    found = device(tmp_path, DRIFT + "drift_to_s = 31536000\n", cell_age="1000 s")
    target = vector(1, 10, 40)
    g = found.age(found.program(target, vector(0, 0, 0)), target, vector(1, 1, -1))
    np.testing.assert_allclose(g, target * 1000.0 ** -np.array([0.1, 0.06, 0.04]), rtol=1e-5)
    assert found.law.ages_s == (1, 365 * 86400)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOML.replace("sigma_us", "sigma"), "'sigma' of a device file(.|\n)*did you mean 'sigma_us'"),
        (TOML.replace("wire_ohm", "wire"), "'wire' of a device file(.|\n)*did you mean 'wire_ohm'"),
        (CSV.replace("age_s", "age"), "'age' of a device file(.|\n)*did you mean 'age_s'"),
        (
            TOML.replace("[0.5, 1, 2, 2]", "[0.5, -1, 2, 2]"),
            "'sigma_us.1' of a device file.*greater than or equal to 0",
        ),
        (TOML.replace("[0.5, 1, 2, 2]", '["wide"]'), "'sigma_us.0' of a device file.*valid number"),
        (TOML.replace("[1, 10, 20, 40]", "[1, 20, 10, 40]"), "levels are out of order\n.*\n.*rising targets and means"),
        (TOML + "mean_us = [1, 12, 11, 40]\n", "levels are out of order"),
        (CSV.replace("8640000, 20, 18, 3, 0.1\n", ""), "levels are not a whole table\n.*\n.*the same 2 or more levels"),
        (TOML.replace("[1, 10, 20, 40]", "[1, 10, 40]"), "levels are not a whole table\n.*\n.*columns of one length"),
        (TOML.replace('source = "lab book 7"', ""), "'source' of a device file.*required"),
        (TOML.replace("sigma_us = [0.5, 1, 2, 2]", ""), "'sigma_us' of a device file.*required"),
        (DRIFT, "drift has no range of ages"),
        ("source = ", "the device file cannot be read"),
    ],
)
def test_a_mistake_in_a_file_has_one_message(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(dse.DseError, match=message) as caught:
        device(tmp_path, text)
    assert str(tmp_path / "own") in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(dse.DataError, match="cannot be read"):
        find_device(dse.Registry(), dse.Nonideality(cell_model=str(tmp_path / "no.toml")))
