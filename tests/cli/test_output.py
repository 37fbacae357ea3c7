from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dse.cli.output import Format, cell, plain_value, write_record, write_rows

ROWS = [{"a": 1, "b": 0.123456789, "c": ["x", "y"]}, {"a": 20, "b": float("nan"), "c": None}]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ((1, (2.0, None)), [1, [2.0, None]]),
        (float("nan"), None),
        (float("inf"), None),
        (pd.NA, None),
        (pd.NaT, None),
        ("text", "text"),
    ],
)
def test_values_become_what_json_knows(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain
    json.dumps(plain_value(value), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "yes"), (False, "no"), (3, "3"), (0.123456, "0.1235"), (123456.7, "123457"), ([1, 2], "1 2")],
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
