"""Single figures: pages, images, and what is said where there is none."""

from __future__ import annotations

import re
import sys
import uuid
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

import dse
from dse.cli.reading import Figure
from dse.errors import OutputError, SetupError, StudyError, UnknownNameError
from dse.reports.report import DRAWINGS
from tests.support import tables
from tests.support.pages import EXAMPLE, Page, study


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The report, by the study's name."""
    out = tmp_path_factory.mktemp("report") / "all.html"
    return Page(dse.report("example", out, results=EXAMPLE.parent).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_figure_has_a_page_of_its_own(tmp_path: Path, whole: Page, name: str) -> None:
    page = Page(dse.plot(EXAMPLE, tmp_path / "x.html", figure=name).read_text(encoding="utf-8"))
    assert page.loaded == []
    assert list(page.data) == [name]
    assert page.data[name] == whole.data[name]


def test_the_command_knows_every_figure() -> None:
    assert get_args(Figure) == tuple(DRAWINGS)


def test_a_figure_that_does_not_exist_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'fronts'"):
        dse.plot(EXAMPLE, tmp_path / "x.html", figure="front")


def test_a_figure_without_anything_to_show_is_said(tmp_path: Path) -> None:
    folder = study(tmp_path / "study", trials=2, objectives=["area"])
    for name, said in (
        ("fronts", "needs 2"),
        ("fronts-3d", "needs 3"),
        ("drops", "No design of the front was scored."),
    ):
        with pytest.raises(StudyError, match=f"the figure '{name}' cannot be drawn") as caught:
            dse.plot(folder, tmp_path / "x.html", figure=name)
        assert said in str(caught.value)
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize("error", [RuntimeError("\nImage export requires Kaleido\nmore"), ValueError("no Chrome")])
def test_a_png_without_what_draws_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    import plotly.graph_objects as go

    def fail(*_args: Any, **_options: Any) -> bytes:
        raise error

    monkeypatch.setattr(go.Figure, "to_image", fail)
    with pytest.raises(SetupError, match="a PNG needs Kaleido and a Chrome") as caught:
        dse.plot(EXAMPLE, tmp_path / "x.png")
    assert f"found: {str(error).strip().splitlines()[0]}" in str(caught.value)
    assert "ends in .html" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_png_is_what_kaleido_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import plotly.graph_objects as go

    monkeypatch.setattr(go.Figure, "to_image", lambda _figure, **options: repr(options).encode())
    wanted = {"format": "png", "width": 1280, "height": 420, "scale": 2}
    assert dse.plot(EXAMPLE, tmp_path / "x.png").read_text(encoding="utf-8") == repr(wanted)


def test_an_svg_follows_the_theme_and_has_no_random_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import plotly.graph_objects as go

    def draw(figure: go.Figure, **options: Any) -> bytes:
        assert options == {"format": "svg", "width": 760, "height": 420, "scale": 1}
        random = uuid.uuid4().hex[:6]
        return (
            f'<svg class="main-svg"><defs id="defs-{random}"/><g clip-path="url(#clip{random}x)" class="trace scatter '
            f'trace{uuid.uuid4().hex[:6]}" style="fill: {figure.layout.font.color}"/></svg>'
        ).encode()

    monkeypatch.setattr(go.Figure, "to_image", draw)
    first, second = (dse.plot(EXAMPLE, tmp_path / name).read_text(encoding="utf-8") for name in ("x.svg", "y.svg"))
    assert first == second
    assert 'id="defs-figure"' in first
    assert 'url(#clipfigurex)" class="trace scatter " style="fill: var(--ink)"' in first
    light, dark = re.findall(r"--ink:(#\w+)", first)
    assert light != dark


def test_the_tradeoff_names_the_designs_of_papers(tmp_path: Path) -> None:
    page = Page(dse.plot(EXAMPLE, tmp_path / "x.html", figure="tradeoff").read_text(encoding="utf-8"))
    traces = {trace["name"]: trace for trace in page.data["tradeoff"]["data"]}
    front = pd.read_parquet(EXAMPLE / "pareto.parquet")
    shown = sorted(zip(traces["front"]["x"], traces["front"]["y"], strict=True))
    assert shown == sorted(zip(front["area_mm2"], front["accuracy_drop"], strict=True))
    assert traces["baseline"]["y"] == [0.0]
    assert traces["published"]["text"] == ["ICCAD 2021, acc", "ICCAD 2021, opt", "ICCAD 2021, agg"]
    assert traces["published"]["y"] == [-0.1, 0.7, 2.7]


def test_both_baselines_are_drawn_where_tables_have_them(tmp_path: Path) -> None:
    tables.write(tmp_path, tables.OLD, [tables.row(0, 5.0, 0.02, area_ratio=0.5, area_ratio_best=1.25)])
    page = Page(dse.plot(tmp_path, tmp_path / "x.html", figure="tradeoff").read_text(encoding="utf-8"))
    drawn = {trace["name"]: trace["x"] for trace in page.data["tradeoff"]["data"]}
    assert drawn["baseline"] == [10.0]
    assert drawn["best baseline"] == [4.0]


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.html.gz"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="cannot be drawn") as caught:
        dse.plot(EXAMPLE, tmp_path / name)
    assert "expected: a name that ends in .html or .png or .svg" in str(caught.value)
    with pytest.raises(OutputError, match="cannot be drawn") as caught:
        dse.report(EXAMPLE, tmp_path / name)
    assert str(caught.value).endswith("ends in .html")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        dse.report(EXAMPLE, tmp_path / "nowhere" / "x.html")


@pytest.mark.parametrize("function", [dse.plot, dse.report])
def test_without_plotly_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: Any
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "plotly"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(SetupError, match="plotly, which is not installed") as caught:
        function(EXAMPLE, tmp_path / "x.html")
    assert "do: pip install 'dse-reram[plots]'" in str(caught.value)
    assert "extra `plots`" in str(caught.value)
