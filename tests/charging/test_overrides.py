"""Overrides change one entry of a model's table, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dse
from dse.charging.overrides import override_costs
from dse.charging.tile import Part, Tile
from dse.errors import DseError
from dse.records.params import Params
from dse.results.read import read_trials
from tests.support.shapes import written

MODELS = ("isaac", "neurosim", "puma")


def costs(folder: Path, hardware: str, overrides: str = "") -> dict[str, Any]:
    """Cost the one design of a space of shapes; return its row."""
    folder.mkdir(exist_ok=True)
    options = f"[hardware.{hardware}.options.costs]\n{overrides}\n" if overrides else ""
    path = written(folder, hardware=hardware)
    path.write_text(path.read_text(encoding="utf-8") + options, encoding="utf-8")
    done = dse.sweep(path, designs=1, results=folder)
    return {str(name): value for name, value in read_trials(done.folder).iloc[0].items()}


@pytest.mark.parametrize("hardware", MODELS)
def test_a_factor_scales_its_component_and_nothing_else(hardware: str, tmp_path: Path) -> None:
    plain = costs(tmp_path / "plain", hardware)
    half = costs(tmp_path / "half", hardware, '"adc.area_mm2" = { scale = 0.5 }\n"adc.event_pj" = { scale = 0.25 }')
    assert half["area.adc"] == pytest.approx(plain["area.adc"] / 2)
    assert half["energy.adc"] == pytest.approx(plain["energy.adc"] / 4)
    assert half[f"param.hardware.{hardware}.adc_area_mm2_scale"] == 0.5
    others = [name for name in plain if name.startswith(("area.", "energy.")) and not name.endswith(".adc")]
    assert len(others) > 10
    assert [half[name] for name in others] == pytest.approx([plain[name] for name in others], nan_ok=True)
    assert half["array_area_ratio"] == pytest.approx(plain["array_area_ratio"])  # the baseline has the same chip


def test_a_value_replaces_the_entry_and_the_digital_unit_has_entries_too(tmp_path: Path) -> None:
    row = costs(tmp_path, "isaac", '"router.area_mm2" = 0.5\n"digital.sram_bit_mm2" = { scale = 2.0 }')
    assert row["area.router"] == pytest.approx(0.5 * row["tiles"])
    assert row["area.sram"] == pytest.approx(2 * costs(tmp_path / "plain", "isaac")["area.sram"])


def test_a_factor_is_searched_like_every_parameter(tmp_path: Path) -> None:
    path = written(tmp_path, hardware="isaac")
    more = '[hardware.isaac.options.costs]\n"adc.event_pj" = { scale = 1.0 }\n'
    more += "[hardware.isaac.parameters]\nadc_event_pj_scale = { low = 0.5, high = 1.0 }\n"
    more += '[compressor.ptq.parameters]\nbits = 4\ngrid = "matrix"\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    rows = read_trials(dse.sweep(path, designs=4, results=tmp_path).folder)
    factor = rows["param.hardware.isaac.adc_event_pj_scale"]
    assert factor.nunique() == 4
    assert np.ptp(rows["energy.adc"] / factor) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ('"laser.area_mm2" = 1.0', ["an entry that its table does not have", "adc.event_pj", "found: laser.area_mm2"]),
        ('"adc.event_pj" = -1.0', ["greater than or equal to 0"]),
        ('"adc.event_pj" = { scale = 0.0 }', ["greater than 0"]),
        ('"adc.event_pj" = { scales = 1.0 }', ["scales"]),
        ('"adc.event_pj" = "half"', ["adc.event_pj"]),
    ],
)
def test_an_override_that_cannot_be_is_refused(override: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(DseError) as caught:
        costs(tmp_path, "isaac", override)
    assert all(word in str(caught.value) for word in words), caught.value


def test_one_value_cannot_replace_the_energy_of_several_events() -> None:
    parts = (Part("adc", event="conversion", event_pj=1.0), Part("adc", event="read", event_pj=2.0))
    with pytest.raises(DseError, match="takes energy at several events"):
        override_costs(Tile(parts, 8, 0.1), {"adc.event_pj": 3.0}, Params(1, {}))
