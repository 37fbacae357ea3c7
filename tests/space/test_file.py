"""The space file and its errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dse.errors import DseError, PluginLoadError, SpaceError, UnknownNameError
from dse.plugins.registry import Registry
from dse.records.plugin import HardwareModel
from dse.space.file import load, parse
from dse.space.toml_text import toml_text
from dse.study.provenance import provenance_of
from tests.support.fakes import fake_space, put, raw_space


def error_of(path: str, value: Any) -> DseError:
    with pytest.raises(DseError) as caught:
        fake_space(put(raw_space(), path, value))
    return caught.value


TWO_STAGE = "compressor/two-stage/parameters"
DEPTH = "generator/shared-prefix/parameters/depth"


@pytest.mark.parametrize(
    ("path", "value", "kind", "where", "texts"),
    [
        ("serach", {}, UnknownNameError, "serach", ["no key called 'serach'", "did you mean 'search'?"]),
        ("search/seeed", 1, UnknownNameError, "search.seeed", ["did you mean 'seed'?"]),
        ("search/constraints/latency_us", {"maxi": 1.0}, UnknownNameError, "latency_us.maxi", ["did you mean 'max'?"]),
        ("generator/shared-prefix/option", {}, UnknownNameError, "shared-prefix.option", ["did you mean 'options'?"]),
        ("generator/shared-prefx", {}, UnknownNameError, "generator.shared-prefx", ["did you mean 'shared-prefix'?"]),
        ("reference_hardware/plugn", "a", UnknownNameError, "reference_hardware.plugn", ["did you mean 'plugin'?"]),
        ("search/trials", 0, SpaceError, "search.trials", ["expected: at least 1", "found: 0"]),
        ("search/trials", "80", SpaceError, "search.trials", ["expected: a whole number", "found: '80'"]),
        ("search/trials", 8.5, SpaceError, "search.trials", ["expected: a whole number"]),
        ("search/max_failed_share", 2, SpaceError, "search.max_failed_share", ["expected: at most 1"]),
        ("search/memory_gb", 0.0, SpaceError, "search.memory_gb", ["greater than 0", "found: 0.0"]),
        ("search/objectives", [], SpaceError, "search.objectives", ["at least 1 item"]),
        ("search/objectives", ["area", "area"], SpaceError, "search.objectives", ["named twice"]),
        (
            "search/objectives",
            ["area", "power"],
            UnknownNameError,
            "search.objectives.1",
            ["no objective called 'power'"],
        ),
        ("search/constraints/latency", {"max": 1.0}, UnknownNameError, "constraints.latency", ["'latency_us'?"]),
        ("search/constraints/latency_us", {}, SpaceError, "constraints.latency_us", ["needs `min`, `max` or both"]),
        ("search/constraints/latency_us", {"min": 2, "max": 1}, SpaceError, "latency_us", ["min is larger than max"]),
        ("search/constraints/score.sst", {"min": 0.5}, UnknownNameError, "score.sst", ["'score.sst2'?"]),
        ("search/reference_point", {"energy": 1.0}, UnknownNameError, "reference_point.energy", ["'energy_uj'?"]),
        ("generator/plugins", [], SpaceError, "generator.plugins", ["at least 1 item"]),
        ("generator/plugins", ["none", "none"], SpaceError, "generator.plugins", ["named twice"]),
        ("generator/unnamed", "both", SpaceError, "generator.unnamed", ["'search' or 'default'"]),
        ("name", "../evil", SpaceError, "name", ["letters, digits"]),
        ("schema", 2, SpaceError, "schema", ["expected: 1", "found: 2"]),
        ("generator", 3, SpaceError, "generator", ["a table"]),
    ],
)
def test_errors_of_the_file_name_key_expected_and_found(
    path: str, value: Any, kind: type[DseError], where: str, texts: list[str]
) -> None:
    error = error_of(path, value)

    assert type(error) is kind
    assert str(error.where).startswith("space: ")
    assert where in str(error.where)
    for text in texts:
        assert text in str(error)


@pytest.mark.parametrize(
    ("path", "value", "where", "texts"),
    [
        (f"{TWO_STAGE}/cosin", 0.9, "two-stage.parameters.cosin", ["parameter of compressor 'two-stage'", "'cosine'?"]),
        (f"{TWO_STAGE}/cosine", {"lo": 0.9}, "cosine.lo", ["no key called 'lo'", "did you mean 'low'?"]),
        (f"{TWO_STAGE}/cosine", "high", "parameters.cosine", ["a finite number", "found: 'high'"]),
        (f"{TWO_STAGE}/cosine", {"low": 0.05}, "cosine.low", ["0.1 to 1.0", "found: 0.05"]),
        (f"{TWO_STAGE}/cosine", {"low": 0.9, "high": 0.6}, "parameters.cosine", ["is empty", "low <= high"]),
        (f"{TWO_STAGE}/cosine", {"step": 0.015}, "cosine.step", ["a multiple of 0.01"]),
        (f"{TWO_STAGE}/cosine", {"step": -1}, "cosine.step", ["a number above 0"]),
        (f"{TWO_STAGE}/cosine", {"low": 0.123}, "cosine.low", ["in steps of 0.01"]),
        (f"{TWO_STAGE}/cosine", {"log": 1}, "cosine.log", ["true or false"]),
        (f"{TWO_STAGE}/cosine", {"log": True}, "parameters.cosine", ["a logarithmic range has no steps"]),
        (f"{TWO_STAGE}/cosine", {"value": 0.6, "low": 0.5}, "parameters.cosine", ["`value` allows no other key"]),
        (f"{TWO_STAGE}/drop", {"low": 0.0}, "drop.low", ["a whole number", "found: 0.0"]),
        (f"{TWO_STAGE}/drop", {"low": 0, "log": True}, "parameters.drop", ["must be positive"]),
        (f"{TWO_STAGE}/mode", "d", "parameters.mode", ["one of ['a', 'b', 'c']", "found: 'd'"]),
        (f"{TWO_STAGE}/mode", {"choices": ["a", "d"]}, "mode.choices", ["found: 'd'"]),
        (f"{TWO_STAGE}/mode", {"choices": []}, "mode.choices", ["has no choices"]),
        (f"{TWO_STAGE}/mode", {"choices": "a"}, "mode.choices", ["a list of values"]),
        (f"{TWO_STAGE}/mode", {"low": 1}, "parameters.mode", ["a choice has no range"]),
        (f"{TWO_STAGE}/mode", {"tasks": {"sst2": "a"}}, "mode.tasks", ["'mode' is not set per task"]),
        (DEPTH, {"tasks": {"sst3": 1}}, "depth.tasks.sst3", ["there is no task called 'sst3'", "'sst2'?"]),
        (DEPTH, {"tasks": {"sst2": 3}}, "depth.tasks.sst2", ["0 to 2", "found: 3"]),
        (DEPTH, {"tasks": 3}, "depth.tasks", ["a table by task"]),
        (DEPTH, {"layers": {"0": 1}}, "depth.layers", ["not set per layer"]),
        (f"{TWO_STAGE}/drop", {"layers": {"3": 1}}, "drop.layers.3", ["there is no layer called '3'"]),
        (f"{TWO_STAGE}/mask", {"tasks": {"sst2": {"layers": {"9": 1}}}}, "sst2.layers.9", ["no layer called '9'"]),
        ("scheduler/searched/parameters/order", ["sst2"], "parameters.order", ["each of these once: trec6"]),
        ("scheduler/searched/parameters/order", {"low": 0}, "parameters.order", ["not an order of the tasks"]),
        ("hardware/isaac/parameters/adc_bits", 11, "parameters.adc_bits", ["3 to 10", "found: 11"]),
    ],
)
def test_errors_of_parameters_name_key_expected_and_found(path: str, value: Any, where: str, texts: list[str]) -> None:
    error = error_of(path, value)

    assert where in str(error.where)
    for text in texts:
        assert text in str(error)


@pytest.mark.parametrize("key", ["schema", "name", "workload", "generator", "compressor", "scheduler", "hardware"])
def test_missing_keys_are_named(key: str) -> None:
    raw = raw_space()
    del raw[key]
    with pytest.raises(SpaceError, match=f"the key '{key}' is missing"):
        parse(raw)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "near.toml").write_text("schema = \n")
    with pytest.raises(SpaceError, match="does not exist") as caught:
        load(tmp_path / "far.toml")
    assert "near.toml" in str(caught.value)
    with pytest.raises(SpaceError, match="not TOML: Invalid value"):
        load(tmp_path / "near.toml")
    with pytest.raises(SpaceError, match="cannot be read"):
        load(tmp_path)


def test_an_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(toml_text(put(raw_space(), "search/trials", -1)))
    with pytest.raises(SpaceError) as caught:
        load(path)
    assert caught.value.where == f"{path}: search.trials, line 10"


def test_plugins_are_looked_up_with_the_nearest_name() -> None:
    registry = Registry()
    with pytest.raises(UnknownNameError, match="no generator called 'independent'") as caught:
        parse(raw_space()).check_plugins(registry)
    assert caught.value.where == "space: generator.plugins.0"
    registry.add("broken", lambda: 1 / 0)
    with pytest.raises(PluginLoadError, match="ZeroDivisionError"):
        parse(raw_space()).check_plugins(registry)


def test_plugin_files_are_relative_to_the_space_file_and_count_by_content(tmp_path: Path) -> None:
    code = (
        "import dse.plugins.contract, dse.records.plugin as p\n"
        "@dse.plugins.contract.hookimpl\n"
        "def dse_hardware_models():\n"
        "    yield p.HardwareModel(name='mine', summary='', build=dict, version='7')\n"
        "@dse.plugins.contract.hookimpl\n"
        "def dse_generators():\n"
        "    yield p.Generator(name='g', summary='', build=dict)\n"
        "@dse.plugins.contract.hookimpl\n"
        "def dse_compressors():\n"
        "    yield p.Compressor(name='c', summary='', build=dict)\n"
        "@dse.plugins.contract.hookimpl\n"
        "def dse_schedulers():\n"
        "    yield p.Scheduler(name='s', summary='', build=dict)\n"
    )
    (tmp_path / "mine.py").write_text(code)
    raw = raw_space() | {kind: {"plugins": [kind[0]]} for kind in ("generator", "compressor", "scheduler")}
    raw |= {"hardware": {"plugins": ["mine"]}, "reference_hardware": {"plugin": "mine"}, "plugin_files": ["./mine.py"]}
    (tmp_path / "a.toml").write_text(toml_text(raw))
    space = load(tmp_path / "a.toml")
    assert space.plugin_paths == (tmp_path / "mine.py",)

    registry = Registry().add_file(space.plugin_paths[0])
    space.check_plugins(registry)
    assert isinstance(registry.get("hardware", "mine"), HardwareModel)
    before = provenance_of(space, registry, {"base": "x"})
    (tmp_path / "mine.py").write_text(code + "# another line\n")
    after = provenance_of(space, registry, {"base": "x"})
    assert before.plugins["hardware.mine"].startswith("7 (mine.py ")
    assert before.plugins != after.plugins
    assert before.digests == {"base": "x"}


def test_a_file_that_an_option_names_lies_beside_the_space_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "costs.toml").write_text("")
    (tmp_path / "isaac").write_text("")
    options = {"table": "costs.toml", "device": "isaac", "other": "absent.toml", "list": ["costs.toml", 3]}
    raw = put(raw_space(), "hardware/isaac/options", options) | {"reference_hardware": {"options": options}}
    (tmp_path / "a.toml").write_text(toml_text(raw))
    monkeypatch.chdir(tmp_path.parent)
    space = load(Path(tmp_path.name) / "a.toml")
    whole = options | {"table": str(tmp_path / "costs.toml")}
    assert space.hardware.table("isaac").options == space.reference_hardware.options == whole


def test_importing_the_space_loads_nothing_heavy() -> None:
    code = (
        "import sys, dse.space.file, dse.space.resolve, dse.study.run, dse.results.read, dse.results.pareto;"
        "print([name for name in ('optuna', 'torch', 'transformers', 'pandas', 'pyarrow', 'moocore') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_a_byte_order_mark_is_no_part_of_a_space_file(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(toml_text(raw_space()), encoding="utf-8")
    marked.write_text(toml_text(raw_space()), encoding="utf-8-sig", newline="\r\n")
    assert load(marked).model_dump() == load(plain).model_dump()


def test_another_encoding_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(toml_text(raw_space()), encoding="utf-16")
    with pytest.raises(SpaceError, match="not TOML"):
        load(path)
