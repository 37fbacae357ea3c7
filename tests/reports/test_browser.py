"""What a person sees: the report in a real browser, and images that one draws. Skipped where there is no Chromium."""

from __future__ import annotations

import struct
from pathlib import Path

import pandas as pd
import pytest

import dse
from benchmarks.browser import DRAW_ALL, Seen, executable, looked
from tests.support.pages import EXAMPLE, study

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(executable() is None, reason="no Chromium here (Debian: apt install chromium)"),
]
SHOWN = "[...document.querySelectorAll('#front tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[0].textContent)"
COUNTED = "[...document.querySelectorAll('#front p.note')].at(-1).textContent"
TYPE = """
(() => {{
  const input = document.querySelector('input[aria-label="filter {column}"]');
  input.value = "{text}";
  input.dispatchEvent(new Event("input"));
}})()
"""
CLICK = (
    "[...document.querySelectorAll('#front thead button')].find((button) => button.textContent === '{column}').click()"
)
FILTERS = {
    "text": TYPE.format(column="compressor", text="two-stage"),
    "number": TYPE.format(column="area_mm2", text="<= 58"),
    "neither": TYPE.format(column="area_mm2", text="none such"),
    "emptied": TYPE.format(column="area_mm2", text="") + ";" + TYPE.format(column="compressor", text=""),
    "sorted": CLICK.format(column="score_mean"),
    "sorted downwards": CLICK.format(column="score_mean"),
}


def size(image: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    return width, height


def test_what_a_page_does_wrong_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text(
        "<script>console.error('said')</script><script>throw new Error('thrown')</script><script src='none.js'></script>",
        encoding="utf-8",
    )
    found = looked(page)
    assert [name for name in ("said", "thrown", "none.js") if not any(name in error for error in found.errors)] == []
    assert found.requests == [page.as_uri(), (tmp_path / "none.js").as_uri()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pages and pictures go: outside the repository."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def seen(place: Path) -> Seen:
    """The example's report, looked at, filtered and sorted."""
    page = dse.report(EXAMPLE, place / "report.html")
    steps = [step for filter_ in FILTERS.values() for step in (filter_, SHOWN, COUNTED)]
    return looked(page, [DRAW_ALL, *steps], picture=place / "report.png")


def test_a_report_draws_every_figure_without_a_complaint_or_a_request(seen: Seen, place: Path) -> None:
    assert seen.errors == []
    assert seen.requests == [(place / "report.html").resolve().as_uri()]
    assert seen.answers[0] == 10
    width, height = size((place / "report.png").read_bytes())
    assert (width > 1000, height > 3000) == (True, True)


def test_filters_and_sorting_work(seen: Seen) -> None:
    front = pd.read_parquet(EXAMPLE / "pareto.parquet").sort_values(["area_mm2", "trial"])
    shown = dict(zip(FILTERS, zip(seen.answers[2::3], seen.answers[3::3], strict=True), strict=True))
    wanted = {
        "text": front[front["compressor"] == "two-stage"],
        "number": front[(front["compressor"] == "two-stage") & (front["area_mm2"] <= 58)],
        "neither": front[:0],
        "emptied": front,
        "sorted": front.sort_values("score_mean", kind="stable"),
        "sorted downwards": front.sort_values("score_mean", kind="stable", ascending=False),
    }
    assert 0 < len(wanted["number"]) < len(wanted["text"]) < len(front)
    for name, (trials, counted) in shown.items():
        assert counted == f"{len(wanted[name])} of {len(front)} designs"
        assert trials == [str(trial) for trial in wanted[name]["trial"]], name


def test_a_study_with_every_kind_of_trial_is_drawn(tmp_path: Path) -> None:
    folder = study(tmp_path / "study", limit=25.0, trials=60)
    found = looked(dse.report(folder, tmp_path / "report.html"), [DRAW_ALL])
    assert found.errors == []
    assert found.answers == [10]


def test_an_image_is_drawn(tmp_path: Path) -> None:
    image = dse.plot(EXAMPLE, tmp_path / "x.png").read_bytes()
    assert size(image) == (2560, 840)
    assert len(image) > 20_000
