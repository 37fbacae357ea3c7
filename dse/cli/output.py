"""Output of commands on stdout or in a file: one table, for people or for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import escape
from dse.results.output import describe, write_output
from dse.results.plain import plain_value

if TYPE_CHECKING:
    import pandas as pd

    from dse.results.sections import Section
    from dse.results.studies import Source

Row = Mapping[str, Any]

FRONT = (
    "study", "trial", "generator", "compressor", "scheduler", "hardware",
    "area_mm2", "energy_uj", "latency_us", "score_mean", "accuracy_drop", "array_area_ratio",
    "array_area_ratio_best", "lifetime_years", "differs",
)  # fmt: skip
"""Columns of a front as a table; `--format json` and `csv` print every metric."""
COSTS = (
    "area_mm2", "energy_uj", "latency_us", "area_ratio", "area_ratio_best", "array_area_ratio", "array_area_ratio_best",
    "energy_ratio", "energy_ratio_best", "offchip_mb",
)  # fmt: skip
"""Costs of the design with every default, as `dse check` prints them."""


class Format(StrEnum):
    """Format of a printed result."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    MARKDOWN = "markdown"
    PARQUET = "parquet"


ENDINGS = {f".{form}": form for form in (Format.CSV, Format.TSV, Format.JSON, Format.PARQUET)}
ENDINGS |= {".md": Format.MARKDOWN, ".txt": Format.TABLE, "": Format.TABLE}
"""Format of a file by the ending of its name."""


def write_rows(
    rows: Sequence[Row],
    form: Format,
    columns: Sequence[str],
    *,
    empty: str = "nothing to show",
    out: Path | None = None,
) -> None:
    """Print rows, or write them to a file.

    Args:
        rows: values by column name.
        form: a table for people, a JSON list of objects, CSV or TSV with a header, or a table in Markdown.
        columns: names of the columns to print, in order.
        empty: text that a table shows when there are no rows.
        out: file to write instead.

    Raises:
        OutputError: the file cannot be written.
    """
    plain = [{name: plain_value(row.get(name)) for name in columns} for row in rows]
    if form is Format.JSON:
        text = json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    elif form in (Format.CSV, Format.TSV):
        text = _csv(plain, columns, "\t" if form is Format.TSV else ",")
    elif not plain:
        text = empty + "\n"
    elif form is Format.MARKDOWN:
        text = _markdown(plain, columns)
    else:
        text = _table(plain, columns, for_person=out is None and sys.stdout.isatty())
    if out is None:
        sys.stdout.write(text)
    else:
        write_output(out, lambda path: path.write_text(text, encoding="utf-8"))


def write_frame(
    frame: pd.DataFrame,
    form: Format,
    columns: Sequence[str],
    *,
    empty: str = "nothing to show",
    out: Path | None = None,
    sources: Sequence[Source] = (),
) -> None:
    """Print a data frame as `write_rows` does, or write it to a parquet file, which needs ``out``.

    Columns of parquet have the descriptions that they have in the studies ``sources``.

    Raises:
        OutputError: the file cannot be written.
    """
    if form is Format.PARQUET:
        import pyarrow as pa
        import pyarrow.parquet as pq

        assert out is not None
        table = describe(frame[list(columns)], sources)
        content = pa.BufferOutputStream()  # a path would hide the system's reason for a refusal
        pq.write_table(table, content)
        write_output(out, lambda path: path.write_bytes(content.getvalue()))
        return
    rows = [dict(zip(frame.columns, values, strict=True)) for values in frame.itertuples(index=False, name=None)]
    write_rows(rows, form, columns, empty=empty, out=out)


def write_front(
    frame: pd.DataFrame,
    form: Format,
    *,
    chosen: bool = False,
    out: Path | None = None,
    empty: str = "no design is on the front",
    sources: Sequence[Source] = (),
) -> None:
    """Print a front. A table for people has only the main columns, unless the user chose columns."""
    columns = list(frame.columns)
    if form in (Format.TABLE, Format.MARKDOWN) and not chosen:
        columns = [name for name in FRONT if name in columns]
    write_frame(frame, form, columns, empty=empty, out=out, sources=sources)


def write_record(record: Row, form: Format) -> None:
    """Print one record: a JSON object, or one line for each of its fields."""
    if form is Format.JSON:
        plain = {name: plain_value(value) for name, value in record.items()}
        sys.stdout.write(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        return
    rows = [{"column": name, "value": value} for name, value in record.items()]
    write_rows(rows, form, ("column", "value"))


def write_sections(sections: Sequence[Section], form: Format) -> None:
    """Print tables one below the other, each under its title."""
    for section in sections:
        sys.stdout.write(f"## {section.title}\n\n" if form is Format.MARKDOWN else f"{section.title}\n")
        write_rows(section.rows, form, section.columns)
        sys.stdout.write("\n")


def cell(value: Any) -> str:
    """Return the text of a value in a table: numbers have four significant digits, a missing value has no text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    if isinstance(value, list):
        return " ".join(cell(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(item)}" for name, item in value.items())
    return "\n".join(map(escape, str(value).split("\n")))


def _csv(rows: Sequence[Row], columns: Sequence[str], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in row.items()}
        )
    return text.getvalue()


def _markdown(rows: Sequence[Row], columns: Sequence[str]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in cells) + " |\n"

    rule = "|" + "|".join("---:" if _is_numeric(rows, name) else "---" for name in columns) + "|\n"
    return line(columns) + rule + "".join(line(cell(row[name]) for name in columns) for row in rows)


def _is_numeric(rows: Sequence[Row], name: str) -> bool:
    return all(isinstance(row[name], int | float | None) for row in rows)


def _table(rows: Sequence[Row], columns: Sequence[str], *, for_person: bool) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(
            Text(escape(name)),
            justify="right" if _is_numeric(rows, name) else "left",
            overflow="fold",
            no_wrap=_is_numeric(rows, name),
        )
    for row in rows:
        table.add_row(*(Text(cell(row[name])) for name in columns))
    # A pipe has no width: lines are as long as their content, and never wrapped at a guessed 80 columns.
    wide = Console(file=io.StringIO(), width=1_000_000)
    # A number that a narrow terminal breaks reads as two: such a table is wider than the terminal.
    console = Console(width=max(Console().width, wide.measure(table).minimum)) if for_person else wide
    with console.capture() as captured:
        console.print(table)
    drawn = captured.get()
    if not (sys.stdout.encoding or "utf-8").lower().startswith("utf"):
        drawn = drawn.replace(SIMPLE_HEAD.head_row_horizontal, "-")  # an encoding without lines would spell out each
    return drawn if for_person else "".join(line.rstrip() + "\n" for line in drawn.splitlines() if line.strip())
