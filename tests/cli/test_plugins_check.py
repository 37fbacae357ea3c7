from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

PLUGIN = """
import dse


class MineOptions(dse.Options):
    rates: list[float] = []
    name: str = "mine"


class Mine:
    def __init__(self, options):
        self.options = options

    def parameters(self, workload):
        return ()

    def prepare(self, context):
        pass

    def order(self, components, workload, params):
        assert self.options.name == "other", f"called {self.options.name} with {self.options.rates}"
        return dse.listed_order(workload, params.points)


@dse.hookimpl
def dse_schedulers():
    yield dse.Scheduler(name="mine", summary="mine", build=Mine, options=MineOptions)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN, encoding="utf-8")
    return path


def test_one_line_a_check_and_status_0_where_all_pass(dse: Any) -> None:
    result = dse("plugins", "check", "fixed")
    assert result.exit_code == 0, result.output
    header, _, *lines = result.stdout.splitlines()
    assert header.split() == ["outcome", "check", "reason"]
    passed = [line for line in lines if line.startswith(" passed ")]
    assert any("every task is served by its rate" in line for line in passed)
    assert all("nothing to test: " in line for line in lines if line not in passed)
    assert f"{len(passed)} passed, 0 failed, {len(lines) - len(passed)} skipped" in result.stderr
    assert "checking scheduler 'fixed'" in result.stderr


def test_status_1_where_one_fails_with_its_reason(dse: Any, plugin: Path) -> None:
    result = dse("plugins", "check", plugin, "--quiet")
    assert result.exit_code == 1
    assert result.stderr == ""
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(" failed")]
    assert (
        line.split("   ", 2)[-1]
        .strip()
        .endswith(
            "called mine with []; must hold: The same call twice, and the same call on a second build, give the same result."
        )
    )
    (line,) = [line for line in result.stdout.splitlines() if "schedule has its shape" in line]
    assert " ".join(line.split()) == "skipped schedule has its shape is deterministic fails"


def test_options_are_written_as_toml(dse: Any, plugin: Path) -> None:
    assert dse("plugins", "check", plugin, "--option", 'name="other"').exit_code == 0
    failing = dse("plugins", "check", plugin, "--option", "name='third'", "--option", "rates = [1.5, 2.5]")
    assert "called third with [1.5, 2.5]" in failing.stdout


@pytest.mark.parametrize("text", ["name", "name=other", "", "a=1\nb=2"])
def test_an_option_that_cannot_be_read(dse: Any, plugin: Path, text: str) -> None:
    result = dse("plugins", "check", plugin, "--option", text)
    assert result.exit_code == 1
    assert (
        "error: --option cannot be read\n  where: dse plugins check\n  expected: KEY=VALUE with a value as in TOML"
        in result.stderr
    )
    assert f"found: {text}".replace("\n", "\\n") in result.stderr


def test_json_has_every_field_and_csv_too(dse: Any, plugin: Path) -> None:
    rows = json.loads(dse("plugins", "check", plugin, "--format", "json").stdout)
    assert {"kind", "plugin", "outcome", "check", "reason", "meaning"} == set(rows[0])
    (row,) = [row for row in rows if row["outcome"] == "failed"]
    assert row["reason"] == "called mine with []"
    assert dse("plugins", "check", plugin, "--format", "csv").stdout.startswith(
        "kind,plugin,outcome,check,reason,meaning"
    )


def test_several_plugins_are_told_apart(dse: Any, plugin: Path) -> None:
    twice = PLUGIN.replace(
        "    yield dse.Sch", '    yield dse.Scheduler(name="b", summary="b", build=Mine)\n    yield dse.Sch'
    )
    plugin.write_text(twice, encoding="utf-8")
    result = dse("plugins", "check", plugin, "--option", 'name="other"')
    assert result.stdout.split()[:4] == ["kind", "plugin", "outcome", "check"]
    outcomes = {tuple(line.split()[1:3]) for line in result.stdout.splitlines() if "record is valid" in line}
    assert {name for name, _ in outcomes} == {"b", "mine"}


def test_what_is_no_plugin_is_status_1(dse: Any, tmp_path: Path) -> None:
    result = dse("plugins", "check", tmp_path)
    assert result.exit_code == 1
    assert f"error: there is no plugin here\n  where: {tmp_path}\n" in result.stderr
