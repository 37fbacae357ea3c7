from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from dse.cli.output import Format, cell, write_record, write_rows

ROWS: list[dict[str, Any]] = [{"a": 1, "b": 0.123456789, "c": ["x", "y"]}, {"a": 20, "b": float("nan"), "c": None}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (3, "3"),
        (0.123456, "0.1235"),
        (123456.7, "123457"),
        ([1, 2], "1 2"),
        ({"a": 1.0, "b": 2}, "a 1, b 2"),
    ],
)
def test_a_cell_is_short(value: Any, text: str) -> None:
    assert cell(value) == text


def test_a_table_is_never_wrapped_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows([{"name": "x" * 300, "other": "y"}], Format.TABLE, ("name", "other"))
    lines = capsys.readouterr().out.splitlines()
    assert "x" * 300 in lines[2]
    assert lines[2].endswith("y")


def test_what_looks_like_markup_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows([{"name": "depth[red]a[/red] [task]"}], Format.TABLE, ("name",))
    assert "depth[red]a[/red] [task]" in capsys.readouterr().out


def test_csv_keeps_every_digit_and_writes_lists_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, Format.CSV, ("a", "b", "c"))
    assert capsys.readouterr().out == 'a,b,c\n1,0.123456789,"[""x"", ""y""]"\n20,,\n'


def test_json_has_null_for_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, Format.JSON, ("b", "a"))
    assert json.loads(capsys.readouterr().out) == [{"b": 0.123456789, "a": 1}, {"b": None, "a": 20}]


@pytest.mark.parametrize(("form", "text"), [(Format.TABLE, "none\n"), (Format.JSON, "[]\n"), (Format.CSV, "a\n")])
def test_no_rows(form: Format, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows([], form, ("a",), empty="none")
    assert capsys.readouterr().out == text


def test_a_record_has_a_line_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    write_record({"area_mm2": 1.5, "order": ["a", "b"]}, Format.TABLE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["area_mm2", "1.5"] in lines
    assert ["order", "a", "b"] in lines


def test_markdown_is_one_table_whatever_its_cells_hold(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, Any]] = [{"name": "a|b", "value": 1.5}, {"name": "two\nlines", "value": None}]
    write_rows(rows, Format.MARKDOWN, ("name", "value"))
    assert capsys.readouterr().out == "| name | value |\n|---|---:|\n| a\\|b | 1.5 |\n| two lines |  |\n"
    write_rows([], Format.MARKDOWN, ("name",), empty="none")
    assert capsys.readouterr().out == "none\n"


def test_a_file_holds_what_would_be_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for form in (Format.TABLE, Format.JSON, Format.CSV, Format.MARKDOWN):
        write_rows(ROWS, form, ("a", "b", "c"))
        printed = capsys.readouterr().out
        write_rows(ROWS, form, ("a", "b", "c"), out=tmp_path / "x")
        assert (tmp_path / "x").read_text(encoding="utf-8") == printed
        assert capsys.readouterr().out == ""


def test_a_file_holds_no_colours_where_the_screen_has_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", screen)
    write_rows(ROWS, Format.TABLE, ("a", "b"))
    write_rows(ROWS, Format.TABLE, ("a", "b"), out=tmp_path / "x")
    assert "\x1b[" in screen.getvalue()
    assert "\x1b[" not in (tmp_path / "x").read_text(encoding="utf-8")
