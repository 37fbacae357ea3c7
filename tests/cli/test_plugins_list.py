from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dse.commands.plugins_list import plugins_list


def listed(dse: Any, *words: object) -> dict[str, dict[str, str]]:
    result = dse("plugins", "list", "--json", *words)
    assert result.exit_code == 0, result.output
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_every_built_in_works(dse: Any) -> None:
    rows = listed(dse)
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert {"independent", "none", "fixed", "isaac"} <= set(rows)
    assert rows["isaac"]["kind"] == "hardware"
    assert rows["isaac"]["distribution"].startswith("dse-reram ")
    assert all(row["summary"] for row in rows.values())


def test_a_broken_file_is_listed_with_its_reason_and_hides_no_other(dse: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import package_that_is_not_there\n", encoding="utf-8")
    rows = listed(dse, "--plugin", path)
    broken = rows.pop(str(path))
    assert broken["status"] == "broken"
    assert broken["reason"] == "ModuleNotFoundError: No module named 'package_that_is_not_there'"
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert "ModuleNotFoundError" in dse("plugins", "list", "--plugin", path).stdout


def test_a_disabled_plugin_is_listed_as_such(dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DISABLE_PLUGINS", "two-stage")
    assert listed(dse)["two-stage"]["status"] == "disabled"


def test_the_table_has_one_line_a_plugin(dse: Any) -> None:
    header, _, *lines = dse("plugins", "list").stdout.splitlines()
    assert header.split() == ["kind", "name", "version", "distribution", "status", "summary"]
    assert len(lines) == len(plugins_list())


def test_csv_has_the_same_rows(dse: Any) -> None:
    lines = dse("plugins", "list", "--format", "csv").stdout.splitlines()
    assert lines[0] == "kind,name,version,distribution,status,summary,reason"
    assert len(lines) == 1 + len(plugins_list())
