from __future__ import annotations

import json
import subprocess
import sys
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


ODD = {
    "loops": ("while True: pass", "was silent for 10 s while it was imported"),
    "exits": ("import os; os._exit(7)", "ended with status 7 while it was imported"),
    "leaves": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "invents": ("class Own(BaseException): pass\nraise Own('x')", "Own: x"),
    "mute": (
        "class Own(Exception):\n    def __str__(self): 1/0\nraise Own",
        "Own, whose text raises ZeroDivisionError",
    ),
    "arguments": (
        "import dse\n@dse.hookimpl\ndef dse_schedulers(a): yield a\n",
        "PluginContractError: hook dse_schedulers takes arguments",
    ),
    "nameless": (
        "import dse\n@dse.hookimpl\ndef dse_schedulers(): yield dse.Scheduler(name=3, summary='', build=dict)\n",
        "PluginContractError: hook dse_schedulers yielded a record whose name is not one line of text: 3",
    ),
    "taken": (
        "import dse\n@dse.hookimpl\ndef dse_schedulers(): yield dse.Scheduler(name='fixed', summary='', build=dict)\n",
        "scheduler 'fixed' exists already, also provided by dse-reram 0.1.0",
    ),
    "silent": ("x = 1", "PluginLoadError: nothing here registers a plugin"),
}
NOISY = """
import json, os, sys, threading, time
import numpy
import dse
print("noise")
os.write(1, bytes(range(256)))
os.chdir("/")
json.dumps = numpy.asarray = None
threading.Thread(target=time.sleep, args=(1e6,)).start()
@dse.hookimpl
def dse_schedulers():
    yield dse.Scheduler(name="noisy", summary="noisy", build=dict)
"""


def test_what_plugins_do_at_import_is_one_line_and_reaches_nothing_else(tmp_path: Path) -> None:
    words = []
    for name, (text, _) in {**ODD, "noisy": (NOISY, "")}.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        words += ["--plugin", f"{name}.py"]  # relative, though one changes the folder
    command = [sys.executable, "-m", "dse", "plugins", "list", "--json", "--time-limit", "10", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {name: rows.pop(str(tmp_path / f"{name}.py"))["reason"] for name in ODD} == {
        name: reason for name, (_, reason) in ODD.items()
    }
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert {"noisy", "isaac"} <= set(rows)
    assert b"noise" in done.stderr
