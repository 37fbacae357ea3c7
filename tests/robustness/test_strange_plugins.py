"""Plugins that do not load, break the contract or fail while they work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.robustness.conftest import Home, told

HOMES = {
    "generator": ("dse_plugins.generators.independent", "Independent", "Generator", "dse_generators", "shared-prefix"),
    "compressor": ("dse_plugins.compressors.none", "Uncompressed", "Compressor", "dse_compressors", "two-stage"),
    "scheduler": ("dse_plugins.schedulers.fixed", "Fixed", "Scheduler", "dse_schedulers", "fixed"),
    "hardware": ("dse_plugins.hardware.isaac.model", "Isaac", "HardwareModel", "dse_hardware_models", "isaac"),
}
OPTIONS = {
    "scheduler": ", options=dse_plugins.schedulers.fixed.FixedOptions",
    "hardware": ", options=dse_plugins.hardware.isaac.options.IsaacOptions",
}


def stranger(kind: str, body: str) -> str:
    """Code of a plugin that is a built-in one, but for some methods."""
    module, base, record, hook, _ = HOMES[kind]
    return f"""import dse
import {module}
import dataclasses
from {module} import {base}


class Strange({base}):
{body}


@dse.hookimpl
def {hook}():
    yield dse.{record}(name="stranger", summary="x", build=Strange{OPTIONS.get(kind, "")})
"""


def use(home: Home, kind: str, code: str) -> None:
    home.plugin(code)
    home.change("plugin_files = []", 'plugin_files = ["stranger.py"]')
    if kind != "compressor":
        home.change('["two-stage"]', '["none"]')
    home.change(f'["{HOMES[kind][-1]}"]', '["stranger"]')
    home.change("trials = 4", "trials = 6")


RECORD = "dse.Compressor(name='stranger', summary='x', build=Uncompressed{more})"
HOOK = (
    "import dse\nfrom dse_plugins.compressors.none import Uncompressed\n\n@dse.hookimpl\n"
    "def {hook}():\n    yield {record}\n"
)
BROKEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "import error": ("import no_such_package\n", ("ModuleNotFoundError", "no_such_package")),
    "syntax error": ("def broken(:\n", ("SyntaxError",)),
    "exit at import": ("raise SystemExit(0)\n", ("SystemExit",)),
    "wrong API version": (
        HOOK.format(hook="dse_compressors", record=RECORD.format(more=", api=99")),
        ("another version", "stranger.py"),
    ),
    "name that exists": (
        HOOK.format(hook="dse_compressors", record="dse.Compressor(name='none', summary='x', build=Uncompressed)"),
        ("'none' exists already",),
    ),
    "misspelt hook": (
        HOOK.format(hook="dse_compresors", record=RECORD.format(more="")),
        ("dse_compresors",),
    ),
    "hook not marked": (
        HOOK.format(hook="dse_compressors", record=RECORD.format(more="")).replace("@dse.hookimpl\n", ""),
        ("not marked",),
    ),
    "another record": (
        HOOK.format(hook="dse_generators", record=RECORD.format(more="")),
        ("a value that is not a record",),
    ),
    "no record": (HOOK.format(hook="dse_compressors", record="'stranger'"), ("a value that is not a record",)),
    "hook returns nothing": (
        "import dse\n\n@dse.hookimpl\ndef dse_compressors():\n    return None\n",
        ("stranger.py",),
    ),
    "hook raises": ("import dse\n\n@dse.hookimpl\ndef dse_compressors():\n    raise OSError('gone')\n", ("gone",)),
    "not UTF-8": ("x = '\udcff'\n", ("SyntaxError",)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_plugin_that_does_not_load_is_listed_and_stops_the_study_that_needs_it(
    home: Home, dse: Any, broken: str
) -> None:
    code, words = BROKEN[broken]
    (home.folder / "stranger.py").write_bytes(code.encode("utf-8", "surrogateescape"))
    listed = dse("plugins", "list", "--plugin", "stranger.py", "--format", "json")
    assert listed.exit_code == 0, listed.output
    for word in (*words, "stranger.py", "two-stage"):
        assert word in listed.stdout
    home.change("plugin_files = []", 'plugin_files = ["stranger.py"]')
    assert dse("check", home.space).exit_code == 0
    home.change('["two-stage"]', '["stranger"]')
    told(dse("check", home.space), "where: ", "compressor.plugins.0", "stranger.py", *words)


@pytest.mark.parametrize(
    ("file", "words"), [("gone.py", ("does not exist",)), ("model", ("model",)), ("robust.toml", ("not Python",))]
)
def test_a_plugin_file_that_is_none_stops_the_study_that_needs_it(
    home: Home, dse: Any, file: str, words: tuple[str, ...]
) -> None:
    home.change("plugin_files = []", f'plugin_files = ["{file}"]')
    home.change('["two-stage"]', '["stranger"]')
    told(dse("check", home.space), "where: ", file, *words)


METHODS = [
    ("generator", "__init__"),
    ("generator", "parameters"),
    ("generator", "prepare"),
    ("generator", "plan"),
    ("generator", "weights"),
    ("compressor", "__init__"),
    ("compressor", "parameters"),
    ("compressor", "prepare"),
    ("compressor", "footprint"),
    ("compressor", "store"),
    ("scheduler", "parameters"),
    ("scheduler", "prepare"),
    ("scheduler", "order"),
    ("hardware", "__init__"),
    ("hardware", "parameters"),
    ("hardware", "prepare"),
    ("hardware", "geometry"),
    ("hardware", "components"),
]
ON_WEIGHTS = {"weights", "store"}


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_an_exception_in_a_method_names_the_plugin(home: Home, dse: Any, kind: str, method: str) -> None:
    use(home, kind, stranger(kind, f"    def {method}(self, *args, **named):\n        raise KeyError('nought')\n"))
    home.change("", "[hardware.isaac.parameters]\nadc_bits = {}\ncell_bits = {}\n" if kind != "hardware" else "\n")
    if kind == "hardware":
        home.change("", 'unnamed = "search"\n')
    if method in ON_WEIGHTS:
        home.change('["area", "energy"]', '["area", "energy", "accuracy"]')
    message = told(dse("run", home.space), "where: ", "nought")
    assert "stranger" in message


RETURNS = {
    ("generator", "plan"): "None",
    ("generator", "parameters"): "['depth']",
    ("compressor", "footprint"): "42",
    ("compressor", "parameters"): "None",
    ("scheduler", "order"): "()",
    ("hardware", "geometry"): "{}",
    ("hardware", "components"): "None",
    ("hardware", "parameters"): "42",
}


@pytest.mark.parametrize(("kind", "method"), RETURNS)
def test_a_method_that_returns_something_else_is_named(home: Home, dse: Any, kind: str, method: str) -> None:
    body = f"    def {method}(self, *args, **named):\n        return {RETURNS[kind, method]}\n"
    use(home, kind, stranger(kind, body))
    assert "stranger" in told(dse("check", home.space))


@pytest.mark.parametrize("value", ["nan", "inf", "-1.0"])
@pytest.mark.parametrize("name", ["area_mm2", "energy_uj", "latency_us"])
def test_a_cost_that_is_none_is_refused_with_the_plugin(home: Home, dse: Any, value: str, name: str) -> None:
    body = (
        "    def components(self, *args, **named):\n        held = super().components(*args, **named)\n"
        f"        return dataclasses.replace(held, {name}=held.{name} * 0 + float('{value}'))\n"
    )
    use(home, "hardware", stranger("hardware", body))
    told(dse("check", home.space), "stranger", name)


def test_failed_trials_keep_those_before_them(home: Home, dse: Any) -> None:
    """A plugin that begins to fail stops the study only after its results are on disk."""
    import pandas as pd

    body = (
        "    count = 0\n\n    def components(self, *args, **named):\n        Strange.count += 1\n"
        "        if Strange.count > 9:\n            raise MemoryError\n"
        "        return super().components(*args, **named)\n"
    )
    use(home, "hardware", stranger("hardware", body))
    home.change("trials = 6", "trials = 20")
    home.change("", 'unnamed = "search"\n')
    told(dse("run", home.space), "MemoryError", "where: ", "nothing is lost")
    statuses = pd.read_parquet(home.study / "trials.parquet")["status"]
    assert (statuses != "failed").any()
    assert (statuses == "failed").any()
