"""Figures are one JSON object a line on stdout and nothing else there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parents[2]


def benchmarks(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_prefix_chooses_figures_and_stdout_holds_only_json() -> None:
    done = benchmarks("--only", "isaac.chip")
    figures = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert [figure["name"] for figure in figures] == ["isaac.chip_area_mm2", "isaac.chip_power_w"]
    assert all(set(figure) == {"name", "value", "unit", "target", "compared"} for figure in figures)


def test_an_unknown_prefix_names_what_there_is() -> None:
    done = benchmarks("--only", "nothing")

    assert done.returncode == 2
    assert done.stdout == ""
    assert "no figure begins with 'nothing'" in done.stderr
    assert "accuracy.over_forward" in done.stderr


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [(1.0, "<= 1", True), (1.1, "<= 1", False), (2.0, ">= 2", True), (1.9, ">= 2", False), (1.0, "", None)],
)
def test_a_target_is_met_or_not(value: float, target: str, met: bool | None) -> None:
    assert Figure("x", value, "s", target, "").met is met
