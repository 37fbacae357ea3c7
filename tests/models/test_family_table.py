"""The table of families and plugins: what the page says is what the test finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.families import FAMILIES, PAGE, RECORD, REFUSED, SETTINGS, Family, judge_all, refusal, render

BY_NAME = {family.name: family for family in FAMILIES}
SOME = {"ModernBERT": ("mgen, free, exits", "graded", "xma2, free"), "DeBERTa v3": ("mtl-shared", "tile-drop")}


@pytest.fixture(scope="module")
def record() -> Any:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def test_the_page_shows_the_whole_record(record: Any) -> None:
    assert render(record) in PAGE.read_text(encoding="utf-8")
    assert list(record["runs"]) == list(BY_NAME)
    assert all(list(cells) == [setting.label for setting in SETTINGS] for cells in record["runs"].values())
    assert list(record["refused"]) == [family.name for family in REFUSED]


def test_every_family_of_the_table_runs_with_every_plugin(record: Any) -> None:
    assert {cell for cells in record["runs"].values() for cell in cells.values()} == {"yes"}


@pytest.mark.parametrize("name", SOME)
def test_some_cells_are_what_the_page_says(record: Any, tmp_path: Path, name: str) -> None:
    settings = [setting for setting in SETTINGS if setting.label in SOME[name]]
    cells = judge_all(tmp_path / "family", BY_NAME[name], settings)
    assert cells == {label: record["runs"][name][label] for label in cells}
    assert len(cells) == len(SOME[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_every_cell_is_what_the_page_says(record: Any, tmp_path: Path, name: str) -> None:
    assert judge_all(tmp_path / "family", BY_NAME[name]) == record["runs"][name]


@pytest.mark.parametrize("family", REFUSED, ids=lambda family: family.name)
def test_other_families_are_refused_with_the_reason_that_the_page_gives(record: Any, family: Family) -> None:
    reason = refusal(family)
    assert reason == record["refused"][family.name]
    assert reason != "not refused"
