"""The page on exported designs lists what their folder holds, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import dse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"


def test_what_an_export_holds_is_documented_and_nothing_else(chip: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    opened = dse.load_export(chip)
    assert first_cells(text, "| column | meaning |") == set(opened.arrays().columns)
    assert first_cells(text, "| key of `export.json` | holds |") == set(opened.manifest) | {"digest"}
    files = {path.relative_to(chip).as_posix() for path in chip.rglob("*") if path.is_file()}
    shown = first_cells(text, "| file | holds |", r"`([^`]+)`")
    kinds = [re.escape(name).replace("<task>", r"\w+").replace("<n>", r"\d+") for name in shown]
    assert {name for name in files if not any(re.match(kind, name) for kind in kinds)} == set()


def first_cells(text: str, header: str, pattern: str = r"`(\w+)`") -> set[str]:
    """Names in the first cells of the table that begins with a line."""
    lines = text.split(header + "\n", 1)[1].split("\n\n", 1)[0].splitlines()
    return {name for line in lines for name in re.findall(pattern, line.split(" |", 1)[0])}
