"""Files that the user named with --out: what is refused, what is written in place, and what parquet keeps."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import dse
from dse.cli.app import app
from dse.commands.redundancy import REDUNDANCY
from dse.errors import OutputError
from dse.results.files import OWN, VALIDATION
from dse.results.output import write_output
from dse.results.points import point_of
from dse.study import start, validate
from tests.support.pages import EXAMPLE


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="dse")


def test_the_files_of_a_study_are_listed() -> None:
    assert {path.name for path in EXAMPLE.iterdir() if path.is_file()} <= OWN
    assert {start.PROFILE, start.PROPOSALS, validate.LOG, VALIDATION, REDUNDANCY, "log.jsonl", ".lock"} <= OWN


@pytest.mark.parametrize("name", sorted(OWN))
def test_an_output_never_replaces_a_file_of_a_study(study: Path, name: str) -> None:
    """Expected: one message that names the file, and every file of the study as it was."""
    before = {path: path.read_bytes() for path in study.iterdir()}
    link = study.parent / "front.parquet"
    link.symlink_to(study / name)
    for command in (("query", "SELECT 1 AS a", study), ("pareto", study)):
        for out in (study / name, link):
            result = run(*command, "--format", "parquet", "--out", out)
            assert result.exit_code == 1
            assert result.stderr.startswith(f"error: this file belongs to a study\n  where: {study / name}\n")
    assert {path: path.read_bytes() for path in study.iterdir()} == before


def test_other_names_in_the_folder_of_a_study_and_its_names_elsewhere_are_free(study: Path) -> None:
    assert run("pareto", study, "--out", study / "front.csv").exit_code == 0
    assert run("pareto", study, "--out", study.parent / "pareto.parquet").exit_code == 0


@pytest.mark.parametrize("name", ["front.xlsx", "front.parq", "front.1"])
def test_an_ending_that_is_no_format_is_refused_with_the_list(study: Path, name: str) -> None:
    out = study.parent / name
    for command in (("query", "SELECT 1 AS a", study), ("pareto", study)):
        result = run(*command, "--out", out)
        assert result.exit_code == 2
        said = " ".join(result.stderr.replace("│", " ").split())
        assert f"no format has the ending '{out.suffix}'" in said
        assert "end the name in .csv, .tsv, .json, .parquet, .md, .txt, or choose one with --format" in said
        assert not out.exists()
    assert run("pareto", study, "--out", out, "--format", "csv").exit_code == 0


def test_a_device_is_written_in_place(study: Path, tmp_path: Path) -> None:
    device = tmp_path / "null"
    device.symlink_to("/dev/null")
    for form in ("csv", "parquet"):
        assert run("pareto", study, "--format", form, "--out", device).exit_code == 0
        assert device.is_symlink()
        assert Path("/dev/null").is_char_device()


def test_a_full_device_is_an_error(study: Path) -> None:
    result = run("pareto", study, "--format", "csv", "--out", "/dev/full")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the file cannot be written: No space left on device\n  where: /dev/full\n")


def test_a_fifo_is_written_in_place(study: Path, tmp_path: Path) -> None:
    fifo, texts = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: texts.append(fifo.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    assert run("pareto", study, "--format", "csv", "--out", fifo).exit_code == 0
    reader.join(10)
    assert texts == [run("pareto", study, "--format", "csv").stdout]
    assert fifo.is_fifo()


def test_a_link_stays_and_its_file_is_written(study: Path, tmp_path: Path) -> None:
    link, file = tmp_path / "link.csv", tmp_path / "file.csv"
    link.symlink_to(file)
    assert run("pareto", study, "--out", link).exit_code == 0
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == run("pareto", study, "--format", "csv").stdout


@pytest.mark.parametrize("name", ["", ".", "folder", "loop.csv", "n" * 300 + ".csv"])
def test_a_name_that_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("loop.csv").symlink_to("loop.csv")
    with pytest.raises(OutputError, match="the file cannot be written"):
        write_output(Path(name), lambda path: path.write_text("x", encoding="utf-8"))


def described(path: Path) -> dict[str, dict[bytes, bytes] | None]:
    return {field.name: field.metadata for field in pq.read_schema(path)}


@pytest.mark.parametrize("command", [("query", "FROM pareto ORDER BY trial"), ("pareto", "--sort", "trial")])
def test_parquet_of_a_front_is_a_table_of_a_study(study: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Expected: types, descriptions, parameters and metadata stay, so every reader and `--start` take the file."""
    out = tmp_path / "front.parquet"
    assert run(*command, study, "--out", out).exit_code == 0
    kept, original = pq.read_table(out), pq.read_table(study / "pareto.parquet")
    order = original.sort_by("trial")
    assert kept.select(original.column_names).equals(order.replace_schema_metadata(kept.schema.metadata))
    own, theirs = described(study / "pareto.parquet"), described(out)
    assert {name: theirs[name] for name in own} == own
    assert kept.schema.metadata[b"objectives"] == original.schema.metadata[b"objectives"]
    designs = sorted(start.read_rows(study / "pareto.parquet"), key=lambda row: int(row["trial"]))
    assert [point_of(row) for row in start.read_rows(out)] == [point_of(row) for row in designs]
    assert list(dse.pareto(out)["trial"]) == list(dse.pareto(study)["trial"])
    assert dse.query("SELECT count(*) AS n FROM trials", out)["n"][0] == len(kept)


def test_parquet_of_a_part_describes_its_columns_and_is_no_table_of_a_study(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "part.parquet"
    sql = "SELECT trial, area_mm2, 'large' AS status, area_mm2 > 60 AS energy_uj, duplicate_of FROM trials"
    assert run("query", sql, study, "--out", out).exit_code == 0
    own, theirs = described(study / "trials.parquet"), described(out)
    for name in ("trial", "area_mm2", "duplicate_of"):
        assert theirs[name] == own[name]
    assert theirs["energy_uj"] != own["energy_uj"]
    assert pq.read_schema(out).field("duplicate_of").type == pa.int64()
    assert b"schema_version" not in (pq.read_schema(out).metadata or {})


def test_no_list_but_a_parameter_has_a_name_with_dots() -> None:
    """Fastparquet splits the names of lists at dots: it reads every other column."""
    for name in ("trials", "pareto"):
        schema = pq.read_schema(EXAMPLE / f"{name}.parquet")
        lists = [field.name for field in schema if pa.types.is_list(field.type) and "." in field.name]
        assert all(item.startswith("param.") for item in lists)
