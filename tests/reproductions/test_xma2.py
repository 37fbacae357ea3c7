"""Spaces of every design can be read, and figures and page say what a record says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dse.space.file import load
from reproductions.xma2 import designs
from reproductions.xma2 import run as xma2
from reproductions.xma2.page import NAMES, PAGE, page

ENDS = {"accuracy_drop": 0.5, "accuracy_drop_low": 0.1, "accuracy_drop_high": 0.9}


def row(**changes: Any) -> dict[str, Any]:
    costs = dict.fromkeys(xma2.COSTS, 0.125) | {"switch_uj": 1234.5, "report": ENDS, "search": ENDS}
    return costs | {"drops": {"0": 0.5}, "tasks": {"trec6": -1.25}} | changes


@pytest.mark.parametrize("name", designs.DESIGNS)
def test_every_design_has_a_space(tmp_path: Path, name: str) -> None:
    design = designs.DESIGNS[name]
    space = load(designs.space_of(design, tmp_path, 2))
    (options,) = (options for kind, plugin, options in space.plugins if kind == "compressor")

    assert options == dict(design.options) | ({"seed": 2} if design.trained else {})
    assert space.workload["traffic"]["requests_per_s"] == 1
    assert len(design.seeds) == (3 if name == "trained.10" else 1)


def test_figures_are_those_of_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xma2, "RECORD", tmp_path / "xma2.json")
    figures = xma2.xma2()
    assert next(figures).name == "xma2.mask_memory_vs_piggyback"
    with pytest.raises(FileNotFoundError):
        next(figures)
    xma2.RECORD.write_text(json.dumps({"designs": {"trained.10": row(lifetime_years=7.5), "free.10": row()}}))
    found = {figure.name: figure for figure in xma2.xma2()}

    assert found["xma2.drop_at_10pct.trained"].met
    assert found["xma2.lifetime_years"].value == 7.5
    assert found["xma2.area_ratio"].value == 0.125
    assert found["xma2.mask_memory_vs_piggyback"].value == pytest.approx(1 / 72)
    assert "xma2.drop_scales_only" not in found


def test_the_page_is_the_records() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(xma2.RECORD.read_text(encoding="utf-8")))


def test_the_page_says_what_the_record_says() -> None:
    front = [dict.fromkeys(("array_area_ratio", "energy_ratio", "offchip_mb", "accuracy_drop"), 0.2)]
    front[0] |= {"compressor": "graded", "lifetime_years": None}  # type: ignore[dict-item]
    text = page({"designs": {name: row(lifetime_years=None) for name in designs.DESIGNS}, "front": front})

    assert f"| {NAMES['trained.10']} | 0.125 | 0.125 | 1234 | 0.1 |  | 0.50 [0.10, 0.90] | 0.50 |" in text
    assert f"| {NAMES['free.10']} | -1.2 |" in text
    assert "takes 0.0139 of a mask" in text
    assert "| `graded` | 0.200 | 0.200 | 0.2 |  | 0.20 |" in text
