"""The table of component costs of `neurosim`: where it comes from, and what is read between and beyond its nodes."""

from __future__ import annotations

import math
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from dse_plugins.hardware.neurosim import costs, dse_hardware_models, measure
from dse_plugins.hardware.neurosim.model import NODES, NeuroSim
from dse_plugins.hardware.neurosim.options import NeuroSimOptions
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from tests.support.workloads import workload

MODEL = NeuroSim(NeuroSimOptions())
KNOWN = costs.read_packaged()


def test_the_table_covers_what_may_be_asked_and_says_where_it_comes_from() -> None:
    declared = {item.name: item for item in MODEL.parameters(workload())}
    text = costs.PACKAGED.read_text(encoding="utf-8")

    assert tuple(KNOWN.nodes) == NODES == measure.NODES
    assert set(declared["array_size"].allowed) <= set(KNOWN.sizes)  # type: ignore[union-attr, arg-type]
    assert declared["adc_bits"].limits == (min(KNOWN.bits), max(KNOWN.bits))  # type: ignore[union-attr]
    assert KNOWN.devices == tuple(sorted(measure.DEVICES))
    assert all(name in text for name in (*measure.UNITS, *measure.PACKAGES, "CC BY-NC 4.0", "dse components build"))


def test_the_table_has_a_unit_for_every_cost_and_is_what_the_script_would_write_of_it() -> None:
    content = tomllib.loads(costs.PACKAGED.read_text(encoding="utf-8"))
    named = {
        f"{kind}.{name}" for kind, rows in content["rows"].items() for name in rows[0] if name not in costs.KEYS[kind]
    }
    text = costs.PACKAGED.read_text(encoding="utf-8")

    assert named == set(content["units"]) == set(measure.UNITS)
    for kind, rows in content["rows"].items():
        assert "\n".join(f"  {measure.inline(row)}," for row in rows) in text
        order = [name for name in rows[0] if name in costs.KEYS[kind]]
        assert rows == sorted(rows, key=lambda row: [row[name] for name in order])
    devices = {name: {key: float(value) for key, value in vars(item).items()} for name, item in measure.DEVICES.items()}
    for name, found in content["devices"].items():
        assert found == pytest.approx(devices[name], abs=1e-6)


def test_the_packages_of_the_table_are_those_that_would_be_installed() -> None:
    built = next(iter(dse_hardware_models())).components
    assert built is not None
    used = tomllib.loads(costs.PACKAGED.read_text(encoding="utf-8"))["packages"]
    asked = dict(item.split("==") for item in built.requirements)

    assert {name.replace("_", "-"): version for name, version in used.items()} == asked
    assert set(built.compiled) <= set(asked)


def test_the_script_imports_neither_dse_nor_numpy() -> None:
    code = f"import runpy, sys; runpy.run_path({str(costs.PACKAGED.with_name('measure.py'))!r}); print([name for name in sys.modules if name.split('.')[0] in ('dse', 'dse_plugins', 'numpy')])"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_survey_in_the_table_is_the_published_regression() -> None:
    for node in NODES:
        for bits in KNOWN.bits:
            found = KNOWN.adc(np.array([node]), np.array([bits]))
            sndr = 6.0206 * bits + 1.7609
            merit = min(213.7806687 - 2.8719030 * math.log(1.28e9), 128.3068287 + 3.2205115 * bits)
            correction = 26.0496216 + 1.8800369 * math.log(node) - 2.8291256 * math.log(bits) - 1.4702022
            energy = 10 ** ((sndr - merit) / 10) / 2 * math.exp(correction)
            logarithm = 1.3461916 + 0.9932795 * math.log(node) + 0.1807154 * math.log(1.28e9)
            area = math.exp(logarithm + 0.2991243 * math.log(energy))

            assert found["survey_pj"][0] == pytest.approx(energy, rel=1e-4)
            assert found["survey_um2"][0] == pytest.approx(area, rel=1e-4)


@given(st.floats(22, 130), st.sampled_from(measure.SIZES), st.sampled_from(sorted(measure.DEVICES)))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_cost_between_two_nodes_lies_between_theirs(node: float, size: int, device: str) -> None:
    low = max(known for known in NODES if known <= node)
    high = min(known for known in NODES if known >= node)
    at = np.array([low, node, high])
    every = [KNOWN.array(device, at, np.full(3, size)), KNOWN.adc(at, np.full(3, 7)), KNOWN.logic(at)]

    for costs_at in every:
        for name, (below, found, above) in costs_at.items():
            smaller, larger = sorted((below, above))
            assert smaller * (1 - 1e-12) <= found <= larger * (1 + 1e-12), name
            if low == high:
                assert found == below


def test_between_two_nodes_the_line_is_straight_in_logarithms() -> None:
    middle = math.sqrt(32 * 45)
    low, found, high = KNOWN.logic(np.array([32, middle, 45]))["buffer_mm2"]
    assert found == pytest.approx(math.sqrt(low * high))


@pytest.mark.parametrize("node", [21.9, 131])
def test_beyond_the_table_nothing_is_made_up(node: float) -> None:
    with pytest.raises(dse.PluginContractError, match=rf"does not know this node[\s\S]*22 to 130 nm[\s\S]*{node}"):
        KNOWN.logic(np.array([node]))
    with pytest.raises(dse.PluginContractError, match=r"this array size[\s\S]*32, 64, 128, 256, 512[\s\S]*100"):
        KNOWN.array("neurosim", np.array([32]), np.array([100]))
    with pytest.raises(dse.PluginContractError, match=r"this ADC resolution[\s\S]*11"):
        KNOWN.adc(np.array([32]), np.array([11]))


def test_a_device_or_a_table_that_is_not_there_is_refused_when_the_model_is_built(tmp_path: Path) -> None:
    with pytest.raises(dse.PluginContractError, match=r"no device 'flash'[\s\S]*isaac, neurosim"):
        NeuroSim(NeuroSimOptions(device="flash"))
    missing = tmp_path / "missing.toml"
    with pytest.raises(dse.PluginContractError, match=r"cannot be read[\s\S]*missing.toml[\s\S]*components build"):
        NeuroSim(NeuroSimOptions(table=str(missing)))
    whole = costs.PACKAGED.read_text(encoding="utf-8")
    for text, found in (
        (whole.replace("node_nm = 45, size = 64,", "node_nm = 45, size = 32,", 1), "two rows for"),
        ("\n".join(line for line in whole.splitlines() if "node_nm = 45, size = 64" not in line), "no row"),
        (whole.replace("[rows]", "[lines]"), "KeyError: 'rows'"),
        (whole.replace("survey_pj", "pj"), "no adc.survey_pj"),
    ):
        missing.write_text(text, encoding="utf-8")
        with pytest.raises(dse.PluginContractError, match=rf"is not usable[\s\S]*{found}"):
            NeuroSim(NeuroSimOptions(table=str(missing)))
