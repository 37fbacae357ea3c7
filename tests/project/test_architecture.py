"""The page on the architecture shows the code as it is, and the pictures are those that the script draws."""

from __future__ import annotations

import ast
import re
import runpy
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRAWING = runpy.run_path(str(ROOT / "scripts" / "pictures.py"))


def cost_points() -> str:
    """Source of the function, wherever in the package it stands."""
    sources = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "dse").rglob("*.py")))
    (source,) = (source for source in sources if "\ndef cost_points(" in source)
    node = next(node for node in ast.parse(source).body if getattr(node, "name", "") == "cost_points")
    text = ast.get_source_segment(source, node)
    assert text is not None
    return text


def test_the_page_begins_with_the_lines_of_cost_points() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = re.search(r"```python signatures\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    indented = "".join(f"    {line}" for line in shown[1].splitlines(keepends=True))
    assert indented in cost_points()
    assert indented.count("\n") <= 20


@pytest.mark.parametrize("name", DRAWING["DRAWN"])
def test_a_picture_is_what_the_script_draws(name: str) -> None:
    """Where it is not: `python scripts/pictures.py` draws it."""
    drawn = DRAWING["DRAWN"][name]()
    assert (ROOT / "docs" / "pictures" / name).read_text(encoding="utf-8") == drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    assert ET.fromstring(drawn).tag.endswith("svg")


def test_the_page_lists_the_folders_that_are_drawn() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = [f"- `{name}`: {words}" for _, folders in DRAWING["FOLDERS"] for name, words in folders]
    assert [line for line in page.splitlines() if line.startswith("- `")] == drawn


def test_the_folders_drawn_are_those_of_the_package() -> None:
    drawn = {name.rstrip("/") for _, folders in DRAWING["FOLDERS"] for name, _ in folders}
    package = {path.parent.name for path in (ROOT / "dse").glob("*/__init__.py")}
    alone = {path.name for path in (ROOT / "dse").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert drawn == package | alone


def test_each_thing_is_where_the_page_says() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| .* \| `(dse/.*)` \| `(\w+)` \|$", page, re.MULTILINE)
    assert len(listed) > 30
    for path, name in listed:
        defined = {getattr(node, "name", "") for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body}
        assert name in defined, (path, name)
