"""Outputs and pictures on pages are what the commands beside them print and draw."""

from __future__ import annotations

import json
import re
import runpy
import shutil
from pathlib import Path

import pytest

import dse
from benchmarks.browser import executable

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "scripts" / "outputs.py"))
SHOWING = [
    page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if "```text " in page.read_text()
]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "results" / "example", tmp_path / "results" / "example")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", sorted({*SHOWING, *TOOL["TUTORIALS"]}), ids=lambda page: page.name)
def test_pages_show_what_their_commands_print(page: Path) -> None:
    """Where they do not: `python scripts/outputs.py` puts it right."""
    text = page.read_text(encoding="utf-8")
    assert TOOL["update"](text, TOOL["run"], insert=page in TOOL["TUTORIALS"]) == text


def test_missing_outputs_are_inserted_after_their_commands() -> None:
    page = "# A\n\n```console\ndse one\ndse two\ndse plot x --out energy.html\ndse none\n```\n\nWords.\n"
    prints = {"dse one": "1\n", "dse two": "".join(f"{line}\n" for line in range(50)), "dse none": ""}
    updated = TOOL["update"](page, prints.__getitem__, insert=True)
    assert TOOL["FENCE"].findall(updated)[:2] == [("console", "", "dse one\n"), ("text", " dse one", "1\n")]
    assert "13\n... and 36 more lines\n```\n\n```console\ndse plot x --out energy.html\n```\n\n![" in updated
    assert updated.endswith("(pictures/energy.svg)\n\n```console\ndse none\n```\n\nWords.\n")
    assert TOOL["update"](updated, prints.__getitem__, insert=True) == updated
    assert TOOL["update"](page, prints.__getitem__, insert=False) == page


@pytest.mark.usefixtures("workplace")
def test_pictures_show_the_example_as_it_is() -> None:
    """Where they do not: `python scripts/outputs.py --draw` draws them again."""
    assert json.loads(TOOL["DIGESTS"].read_text(encoding="utf-8")) == TOOL["digests"]()
    assert {file.name for file in TOOL["PICTURES"].iterdir()} >= set(TOOL["DRAWN"])


def marks(svg: str) -> tuple[int, list[str]]:
    """Return how many points a picture has, and its words."""
    return len(re.findall(r'<path class="point\b', svg)), re.findall(r">([^<>]+)</text>", svg)


def test_the_front_has_every_design() -> None:
    import pandas as pd

    points, words = marks((TOOL["PICTURES"] / "front.svg").read_text(encoding="utf-8"))
    trials = pd.read_parquet(ROOT / "results" / "example" / "trials.parquet")
    assert points == int(trials["accuracy_drop"].notna().sum()) + len(["baseline"]) + 3
    assert {"chip area, mm²", "points lost", "ICCAD 2021, acc", "ICCAD 2021, opt", "ICCAD 2021, agg"} <= set(words)


@pytest.mark.browser
@pytest.mark.skipif(executable() is None, reason="no Chromium here (Debian: apt install chromium)")
def test_the_front_is_what_the_command_draws(workplace: Path) -> None:
    drawn = dse.plot("results/example", workplace / "front.svg", figure=TOOL["DRAWN"]["front.svg"])
    assert marks(drawn.read_text(encoding="utf-8")) == marks(
        (TOOL["PICTURES"] / "front.svg").read_text(encoding="utf-8")
    )
