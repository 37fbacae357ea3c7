"""Every file of an export is compared with what was written, and each that differs is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

import dse as package
from dse.cli.app import app
from dse.exports.manifest import MANIFEST


def dse(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_folder_as_it_was_written_passes(original: Path) -> None:
    done = dse("export", "--verify", original)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"every file of {original} is what was written\n"
    assert package.verify_export(original) == {}


def test_a_folder_of_the_first_format_is_verified_too() -> None:
    assert package.verify_export(Path(__file__).resolve().parents[1] / "fixtures" / "export_1") == {}


def test_each_file_that_differs_is_named_with_its_state(copy: Path) -> None:
    schedule = copy / "schedule.json"
    schedule.write_text(schedule.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    (copy / "README.md").write_text("other", encoding="utf-8")
    (copy / "arrays.parquet").unlink()
    (copy / "arrays.parquet").mkdir()
    (copy / "base.safetensors").unlink()
    (copy / "tokenizer" / "more.json").write_text("{}", encoding="utf-8")
    (copy / "rows" / "verdict.parquet").rename(copy.parent / "elsewhere")
    (copy / "rows" / "verdict.parquet").symlink_to(copy.parent / "elsewhere")
    done = dse("export", "--verify", copy)

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "changed: README.md",
        "changed: arrays.parquet",
        "missing: base.safetensors",
        "no regular file: rows/verdict.parquet",
        "changed: schedule.json",
        "unexpected: tokenizer/more.json",
    ]
    assert f"error: 6 files of {copy} are not what was written" in done.stderr


def test_a_changed_design_file_and_a_folder_without_one_are_said(copy: Path) -> None:
    path = copy / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace('"trial": 0', '"trial": 1'), encoding="utf-8")
    for folder, words in ((copy, "is not what was written"), (copy / "rows", "there is no exported design here")):
        done = dse("export", "--verify", folder)
        assert done.exit_code == 1
        assert words in done.stderr
        assert "unexpected error" not in done.stderr


def test_the_digest_is_that_of_the_bytes_before_it(original: Path) -> None:
    """As `docs/export.md` says, so that other programs can check it."""
    text = (original / MANIFEST).read_bytes()
    before = text[: text.rindex(b',\n "digest": ')]
    assert json.loads(text)["digest"] == hashlib.sha256(before).hexdigest()
    files = {path.relative_to(original).as_posix() for path in original.rglob("*") if path.is_file()}
    assert files - {MANIFEST} == set(json.loads(text)["files"])
