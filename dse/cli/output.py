"""What commands print on stdout: one table, as people or programs read it."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]

FRONT = (
    "trial",
    "generator",
    "compressor",
    "scheduler",
    "hardware",
    "area_mm2",
    "energy_uj",
    "latency_us",
    "score_mean",
    "accuracy_drop",
    "array_area_ratio",
)
"""Columns of a front as a table; `--format json` and `csv` print every metric."""


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def write_rows(rows: Sequence[Row], form: Format, columns: Sequence[str], *, empty: str = "nothing to show") -> None:
    """Print rows.

    Args:
        rows: values by column name.
        form: a table for people, a JSON list of objects, or CSV with a header.
        columns: which, in order.
        empty: what a table says when there are no rows.
    """
    plain = [{name: plain_value(row.get(name)) for name in columns} for row in rows]
    if form is Format.JSON:
        sys.stdout.write(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    elif form is Format.CSV:
        sys.stdout.write(_csv(plain, columns))
    elif plain:
        _write_table(plain, columns)
    else:
        sys.stdout.write(empty + "\n")


def write_front(frame: pd.DataFrame, form: Format, *, chosen: bool = False) -> None:
    """Print a front; as a table only its main columns, unless they were chosen."""
    columns = list(frame.columns)
    if form is Format.TABLE and not chosen:
        columns = [name for name in FRONT if name in columns]
    rows = [dict(zip(frame.columns, values, strict=True)) for values in frame.itertuples(index=False, name=None)]
    write_rows(rows, form, columns, empty="no design is on the front")


def write_record(record: Row, form: Format) -> None:
    """Print one record: a JSON object, or one line for each of its fields."""
    if form is Format.JSON:
        plain = {name: plain_value(value) for name, value in record.items()}
        sys.stdout.write(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        return
    rows = [{"column": name, "value": value} for name, value in record.items()]
    write_rows(rows, form, ("column", "value"))


def plain_value(value: Any) -> Any:
    """Return the value as JSON knows it: no numpy, no tuples, None for what is missing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if type(value).__name__ in {"NAType", "NaTType"} else value


def cell(value: Any) -> str:
    """Return a value as a table shows it: four significant digits, nothing for what is missing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    if isinstance(value, list):
        return " ".join(cell(item) for item in value)
    return str(value)


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = [row[name] for name in columns]
        writer.writerow([json.dumps(value) if isinstance(value, list) else value for value in values])
    return text.getvalue()


def _write_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        numeric = all(isinstance(row[name], int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(row[name])) for name in columns))
    # A pipe has no width: lines are as long as their content, and never wrapped at a guessed 80 columns.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 1_000_000)
    if sys.stdout.isatty():
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines() if line.strip()))
