"""Every file that CONTRIBUTING.md names exists, and every target of make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
PATH = re.compile(r"`([\w.-]+(?:/[\w.-]*)+|[\w-]+\.(?:md|toml|txt|py|cff|yml))`")


@pytest.mark.parametrize("path", sorted(set(PATH.findall(TEXT))))
def test_a_path_in_backticks_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_step_of_a_recipe_names_a_file(recipe: str) -> None:
    steps = re.findall(r"^\d+\. (.*?)(?=^\d+\.|^$|\Z)", RECIPES[recipe], re.MULTILINE | re.DOTALL)
    assert len(steps) >= 3
    assert [step for step in steps if not PATH.search(step)] == []


@pytest.mark.parametrize(
    ("recipe", "most"),
    [
        ("Add a hardware knob that changes a price", 4),
        ("Add a hardware knob that changes the geometry", 8),
        ("Add a search stage with a status", 8),
        ("Add a result column", 4),  # a column is a cost or a score: one of two of these files
    ],
)
def test_a_recipe_takes_few_files(recipe: str, most: int) -> None:
    assert len(set(PATH.findall(RECIPES[recipe]))) <= most
