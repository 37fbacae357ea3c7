"""`dse export` on a study of a tiny model: a folder that reproduces every score, or one clear message and no folder."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dse as package
from tests.support.once import Once


@pytest.fixture(scope="session")
def home(tuned: Path, once: Once) -> Path:
    """A folder with a study of four trials, which were validated."""

    def study(folder: Path) -> None:
        shutil.copytree(tuned / "cache", folder / "cache")
        options: dict[str, Any] = {"results": folder / "results", "cache": folder / "cache", "device": "cpu"}
        package.run(tuned / "tiny.toml", in_process=True, **options)
        package.validate("tiny", in_process=True, **options)

    return once("studied", study)


@pytest.fixture
def studied(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the study to change, in a folder to work in."""
    shutil.copytree(home / "results", tmp_path / "results")
    monkeypatch.setenv("DSE_CACHE", str(home / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results" / "tiny"


def changed(study: Path, trial: int, **cells: Any) -> None:
    """Put other values into a trial's row."""
    table = pq.read_table(study / "trials.parquet")
    rows = table.to_pylist()
    rows[trial] |= cells
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), study / "trials.parquet")


def refused(result: Any, *words: str) -> None:
    assert result.exit_code == 1, result.output
    assert "unexpected error" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert not list(Path().glob("chip/*"))
    assert not list(Path().glob(".chip*"))


def test_every_score_is_reproduced_in_a_fresh_process(studied: Path, dse: Any) -> None:
    front = pd.read_parquet(studied / "pareto.parquet").iloc[0]
    done = dse("export", "tiny", front["trial"], "chip", "--rows", "--check", "--device", "cpu", "--format", "json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [(row["task"], row["split"]) for row in rows] == [
        (task, split) for task in ("verdict", "rating") for split in ("search", "report")
    ]
    assert all(row["reloaded"] == row["recorded"] for row in rows)
    assert rows[0]["recorded"] == front["score.verdict"]
    assert "exported: chip (0.2 MB)" in done.stderr
    chip = package.load_export("chip")
    assert {path.relative_to("chip").as_posix() for path in Path("chip").rglob("*") if path.is_file()} == {
        *("golden/verdict.npz", "golden/rating.npz", "arrays.csv"),
        *("export.json", "README.md", "arrays.parquet", "schedule.json", "base.safetensors"),
        *("delta-verdict.safetensors", "delta-rating.safetensors", "rows/verdict.parquet", "rows/rating.parquet"),
        *("tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json"),
    }
    assert sum(value for name, value in chip.manifest["record"].items() if name.startswith("area.")) == pytest.approx(
        chip.manifest["record"]["area_mm2"]
    )
    assert json.loads(Path("chip/schedule.json").read_text(encoding="utf-8"))["steps"][0]["requests"] == 32
    assert Path("chip/base.safetensors").stat().st_mode == Path("chip/export.json").stat().st_mode


def test_an_empty_working_folder_is_filled_and_rows_stay_where_they_are(
    studied: Path, dse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("chip").mkdir()
    monkeypatch.chdir("chip")
    done = dse("export", studied, 0, ".", "--device", "cpu", "--in-process", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert "reloaded" not in done.stdout
    assert package.load_export(".").tasks == ("verdict", "rating")
    assert not Path("rows").exists()
    assert [path.name for path in Path("..").glob(".chip*")] == []


def test_an_unknown_study_or_trial_is_said(studied: Path, dse: Any) -> None:
    del studied
    refused(dse("export", "tinny", 0, "chip"), "there is no study here", "tiny")
    refused(dse("export", "tiny", 99, "chip"), "there is no trial 99", "0 to 3")


def test_a_trial_without_scores_is_said_with_its_reason(studied: Path, dse: Any) -> None:
    without: dict[str, Any] = {"score.verdict": None, "score.rating": None, "score_mean": None}
    changed(studied, 1, status="failed", reason="ValueError: it broke", **without)
    changed(studied, 2, status="duplicate", duplicate_of=0, **without)
    refused(dse("export", "tiny", 1, "chip"), "trial 1 has no scores", "failed: ValueError: it broke", "dse pareto")
    refused(dse("export", "tiny", 2, "chip"), "trial 2 has no scores", "duplicate", "export trial 0")
    changed(studied, 0, status="stale")
    refused(
        dse("export", "tiny", 0, "chip"), "trial 0 has no scores to reproduce, since its models have changed", "stale"
    )


def test_a_folder_that_is_not_empty_is_kept(studied: Path, dse: Any) -> None:
    del studied
    Path("taken").mkdir()
    Path("taken/mine").write_text("mine", encoding="utf-8")
    refused(
        dse("export", "tiny", 0, "taken"),
        "the folder of the export is taken",
        "where: taken",
        "found: a folder with files",
        "or name another folder",
    )
    refused(dse("export", "tiny", 0, "taken/mine"), "is taken", "where: taken/mine", "found: a file")
    assert [path.name for path in Path("taken").iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["write_tensors", "write_arrays", "write_rows"])
def test_a_full_disk_leaves_nothing(studied: Path, dse: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    del studied

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"dse.exports.write.{name}", full)
    refused(
        dse("export", "tiny", 0, "chip", "--rows", "--device", "cpu", "--in-process"),
        "cannot be exported: No space left",
        "where: chip",
    )


def test_a_plugin_that_is_not_installed_is_named(studied: Path, dse: Any) -> None:
    space = studied / "space.toml"
    space.write_text(space.read_text(encoding="utf-8").replace("two-stage", "two-stages"), encoding="utf-8")
    refused(
        dse("export", "tiny", 0, "chip", "--in-process"),
        "no compressor called 'two-stages'",
        "did you mean 'two-stage'",
    )
    space.unlink()
    refused(dse("export", "tiny", 0, "chip"), "space file is missing", "space.toml")


def test_a_plugin_that_has_changed_is_named(studied: Path, dse: Any) -> None:
    versions = json.loads(pd.read_parquet(studied / "trials.parquet")["versions"][0])
    changed(studied, 0, versions=json.dumps(versions | {"hardware.isaac": "0 (older)"}))
    words = (
        "not the one that the trial was made with",
        "where: hardware.isaac",
        "expected: 0 (older)",
        "found: 1 (",
    )
    refused(dse("export", "tiny", 0, "chip", "--device", "cpu", "--in-process"), *words)


def test_a_parameter_that_was_not_known_yet_is_named(studied: Path, dse: Any) -> None:
    changed(studied, 0, **{"param.hardware.isaac.tiles": None})
    words = (
        "the parameters of a plugin have changed since the trial",
        "where: hardware.isaac.tiles",
        "run the study again",
    )
    refused(dse("export", "tiny", 0, "chip", "--device", "cpu", "--in-process"), *words)


def test_a_damaged_validation_is_said(studied: Path, dse: Any) -> None:
    (studied / "validation.parquet").write_bytes(b"PAR1")
    refused(
        dse("export", "tiny", 0, "chip", "--device", "cpu", "--in-process"),
        "the validation is damaged",
        "validation.parquet",
    )


def test_other_models_than_were_scored_are_not_exported(studied: Path, dse: Any) -> None:
    changed(studied, 0, **{"score.rating": 0.123})
    refused(
        dse("export", "tiny", 0, "chip", "--device", "cpu", "--in-process"),
        "the model that this machine makes of the design differs from",
        "search score of task rating",
        "expected: 0.123",
    )


def test_other_weights_with_the_same_scores_are_not_exported(studied: Path, dse: Any) -> None:
    log = (studied / "log.jsonl").read_text(encoding="utf-8")
    changed = re.sub(r'("weights\.verdict": ?")\w+', r"\g<1>00", log)
    assert changed != log
    (studied / "log.jsonl").write_text(changed, encoding="utf-8")
    words = ("models or data have changed since the study ran", "data weights.verdict: 00 -> ", "--force")
    refused(dse("export", "tiny", 0, "chip", "--device", "cpu"), *words)


def test_a_check_that_finds_a_difference_fails(studied: Path, dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    del studied
    row = {"task": "verdict", "split": "search", "recorded": 0.5, "reloaded": 0.4, "difference": 0.1}
    monkeypatch.setattr("dse.commands.export.check_export", lambda *_arguments: pd.DataFrame([row]))
    done = dse("export", "tiny", 0, "chip", "--check", "--device", "cpu", "--in-process")
    assert done.exit_code == 1
    assert "does not reproduce the recorded scores" in done.stderr
    assert "0.4" in done.stdout


def test_a_process_that_cannot_load_the_export_is_said(studied: Path, tmp_path: Path) -> None:
    from dse.exports.check import check_export

    del studied
    with pytest.raises(package.ExportError, match=r"process of its own[\s\S]*there is no exported design here"):
        check_export(tmp_path / "nowhere", tmp_path)
