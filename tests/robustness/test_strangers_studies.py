"""The commands that read a study run none of its code: a stranger's study is safe to open."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from dse.cli.app import app
from tests.support.pages import EXAMPLE

PLUGIN = """from dataclasses import replace
from pathlib import Path

from dse.plugin import hookimpl
from dse.plugins.registry import load_registry

Path(__file__).with_name("marker").write_text("this file ran")

@hookimpl
def dse_hardware_models():
    yield replace(load_registry().get("hardware", "isaac"), name="own")
"""
READING = {
    "pareto": ("--where", "area_mm2 > 0"),
    "show": (105,),
    "plot": ("--out", "figure.html"),
    "report": ("--out", "report.html"),
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose folder has a plugin file with the hardware model of every trial."""
    monkeypatch.chdir(tmp_path)
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "theirs"))
    (folder / "own.py").write_text(PLUGIN, encoding="utf-8")
    space = folder / "space.toml"
    text = space.read_text(encoding="utf-8").replace("schema = 1", 'schema = 1\nplugin_files = ["own.py"]')
    text = text.replace('plugins = ["isaac"]', 'plugins = ["own"]').replace("[hardware.isaac", "[hardware.own")
    space.write_text(text, encoding="utf-8")
    for name in ("trials", "pareto"):
        table = pq.read_table(folder / f"{name}.parquet")
        index = table.schema.get_field_index("hardware")
        names = [item.replace("hardware.isaac.", "hardware.own.") for item in table.schema.names]
        changed = table.set_column(index, "hardware", pa.array(["own"] * len(table))).rename_columns(names)
        pq.write_table(changed.replace_schema_metadata(table.schema.metadata), folder / f"{name}.parquet")
    return folder


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="dse")


def test_a_query_runs_no_code_of_the_study(study: Path) -> None:
    assert run("query", "SELECT count(*) FROM trials", study).exit_code == 0
    assert not (study / "marker").exists()


@pytest.mark.parametrize("command", READING)
def test_a_command_that_reads_runs_no_code_of_the_study(study: Path, command: str) -> None:
    """Expected: everything that needs no code of the study, and one line that says how to get the rest."""
    result = run(command, study, *READING[command])
    assert result.exit_code == 0
    assert not (study / "marker").exists()
    assert "under other assumptions" not in result.stdout
    file = study / "own.py"
    left_out = f"costs of hardware 'own' under other assumptions are left out: --trust runs the code in {file}"
    assert (left_out in result.stderr.splitlines()) == (command in ("show", "report"))


@pytest.mark.parametrize("command", ["show", "report"])
def test_trust_runs_the_code_of_the_study(study: Path, command: str) -> None:
    result = run(command, study, *READING[command], "--trust")
    assert result.exit_code == 0
    assert (study / "marker").read_text(encoding="utf-8") == "this file ran"
    assert "left out" not in result.stderr
    shown = result.stdout if command == "show" else Path("report.html").read_text(encoding="utf-8")
    assert "ADC law survey" in shown


def test_a_study_of_installed_plugins_says_nothing(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    result = run("show", folder, 105)
    assert "ADC law survey" in result.stdout
    assert result.stderr == ""
