"""`dse redundancy` on a random two-layer model: what it prints, what it leaves behind, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.commands.redundancy import redundancy
from dse.errors import DataError, StudyError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home(own_tuned: Path) -> Path:
    return own_tuned


@pytest.fixture
def asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Words of the command, in a working folder whose cache every test of this file shares."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("DSE_CACHE", str(home / "cache"))
    return ("redundancy", "tiny.toml", "--in-process", "--device", "cpu", "--rows", 20)


def test_the_table_shows_what_the_file_holds(asked: tuple[object, ...], dse: Any) -> None:
    result = dse(*asked)
    assert result.exit_code == 0, result.output
    header, _, *rows = result.stdout.splitlines()
    kept = pd.read_parquet("results/tiny/redundancy.parquet", use_threads=False)

    assert header.split() == [name for name in kept.columns if "." not in name]
    assert [row.split()[:2] for row in rows] == kept[["task", "layer"]].astype(str).values.tolist()
    assert kept.shape == (4, 18)
    assert kept.dtypes[["layer", "base_cka", "skipped_drop"]].astype(str).tolist() == ["int64", "float64", "float64"]
    assert "hidden states: 33%" in result.stderr
    assert "verdict without a layer: 50%" in result.stderr
    assert "what is redundant: results/tiny/redundancy.parquet" in result.stderr


def test_json_and_csv_have_every_column_and_quiet_is_quiet(asked: tuple[object, ...], dse: Any) -> None:
    as_json, as_csv = (dse(*asked, "--quiet", "--format", form) for form in ("json", "csv"))
    kept = pd.read_parquet("results/tiny/redundancy.parquet", use_threads=False)

    assert as_json.stderr == ""
    rows = json.loads(as_json.stdout)
    assert list(rows[0]) == list(kept.columns)
    assert [row["cka.rating"] for row in rows] == kept["cka.rating"].tolist()
    assert len(list(csv.DictReader(io.StringIO(as_csv.stdout)))) == 4


def test_a_second_call_loads_no_model(asked: tuple[object, ...], dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dse(*asked, "--quiet", "--format", "json").stdout

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("measured again")

    for name in ("inference.similarity.hidden_states", "loaded_task.observe", "inference.evaluate.Evaluator.score"):
        monkeypatch.setattr(f"dse.models.{name}", never)
    again = dse(*asked, "--quiet", "--format", "json")

    assert again.exit_code == 0, again.output
    assert again.stdout == first


def test_every_column_is_explained_and_no_other(asked: tuple[object, ...]) -> None:
    found = redundancy(str(asked[1]), rows=20, device="cpu", in_process=True)
    page = (ROOT / "docs/redundancy.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| `([^`]+)` \| (\w+) \|", page, re.MULTILINE)
    kinds = {"object": "string", "str": "string", "Int64": "int64"}  # as pandas calls them, its versions apart
    real = {
        re.sub(r"\.(verdict|rating)$", ".<task>", str(name)): kinds.get(str(kind), str(kind))
        for name, kind in found.table.dtypes.items()
    }

    assert shown == list(real.items())


def test_no_rows_are_refused_before_anything_is_measured(asked: tuple[object, ...], dse: Any) -> None:
    with pytest.raises(DataError, match=r"there are no rows to look at[\s\S]*--rows[\s\S]*at least 1[\s\S]*-3"):
        redundancy(str(asked[1]), rows=-3)
    assert dse(*asked[:2], "--rows", 0).exit_code == 2


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(
    asked: tuple[object, ...], home: Path, dse: Any
) -> None:
    with pytest.raises(StudyError, match=r"folder cannot be written[\s\S]*vocab.txt[\s\S]*--results"):
        redundancy(str(asked[1]), results=home / "model" / "vocab.txt", cache=home / "elsewhere")
    assert not (home / "elsewhere").exists()
    refused = dse(*asked, "--results", home / "model" / "vocab.txt")
    assert refused.exit_code == 1
    assert "error: the study's folder cannot be written" in refused.stderr


def test_a_space_file_that_is_not_there(asked: tuple[object, ...], dse: Any) -> None:
    result = dse("redundancy", "nowhere.toml", *asked[2:])

    assert result.exit_code == 1
    assert "error: the space file does not exist" in result.stderr
