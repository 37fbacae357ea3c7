"""Reading a data file into a raw table."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DataError
from dse.models.data.shards import find_parts, read_parts
from dse.space.workload import DataSpec

if TYPE_CHECKING:
    import pandas as pd

COMPRESSION: dict[str, Callable[[bytes], bytes]] = {".bz2": bz2.decompress, ".gz": gzip.decompress}
FORMATS = {".csv": "csv", ".tsv": "tsv", ".txt": "tsv", ".jsonl": "jsonl", ".parquet": "parquet"}
SEPARATORS = {"csv": ",", "tsv": "\t"}
BYTE_ORDER_MARK = "\ufeff"


def read_table(data: DataSpec, path: Path) -> pd.DataFrame:
    """Read a file's rows as they are; the index counts the file's rows, or the lines of JSON and of ``lines``, from 1.

    Raises:
        DataError: the file is missing, damaged, or not of its format.
    """
    parts = find_parts(path)
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSION]
    form = data.format or FORMATS.get(suffixes[-1] if suffixes else "", "")
    try:
        if form == "parquet" or parts != [path]:
            return _parquet(parts)
        if form not in {*SEPARATORS, "jsonl", "lines"}:
            raise DataError(
                "the format of the data file is not known",
                where=path,
                expected=f"an ending of {', '.join(FORMATS)}, or format = ... in the task's data table",
                found=path.name,
            )
        return _parse(form, _text(_expand(path), path, data.encoding), data, path)
    except MemoryError as error:
        raise DataError("the data file does not fit into memory", where=path) from error


def _parquet(parts: list[Path]) -> pd.DataFrame:
    try:
        table = read_parts(parts)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors or OSErrors
        raise _damage(parts[0], error) from error
    return table.set_axis(range(1, len(table) + 1))


def _parse(form: str, text: str, data: DataSpec, path: Path) -> pd.DataFrame:
    """Build the table of a text file."""
    try:
        if form == "lines":
            matches = [(at, re.match(data.pattern, line)) for at, line in _lines(text)]
            return _frame({at: match.groupdict() for at, match in matches if match})
        if form == "jsonl":
            return _frame({at: _object(line, at) for at, line in _lines(text) if line.strip()})
        return _delimited(form, text, data.quoting)
    except (ValueError, RecursionError, re.error) as error:
        raise DataError(f"the data file cannot be read as {form}: {error}", where=path) from error


def _delimited(form: str, text: str, asked: bool | None) -> pd.DataFrame:
    """Build the table of delimited text; ``attrs`` has notes on quote marks that may mean something else."""
    import pandas as pd

    quotes = form == "csv" if asked is None else asked
    quoting: Any = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    table = pd.read_csv(StringIO(text), sep=SEPARATORS[form], quoting=quoting, dtype=str, keep_default_na=False)
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the fields before the header's for names of rows
        raise ValueError("the rows have more fields than the header names")  # noqa: TRY004  # reported with the file
    table = table.set_axis(range(1, len(table) + 1))
    cells = [cell for column in table.columns for cell in table[column] if isinstance(cell, str)]
    if quotes and (breaks := [cell.count("\n") for cell in cells if "\n" in cell]):
        lines = sum(breaks) + len(breaks)
        note = f"fields in quote marks that run over several lines: {len(breaks)}, over {lines} lines"
        table.attrs["notes"] = [f"{note}; if the marks belong to the text, set quoting = false"]
    elif asked is None and (quoted := sum(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells)):
        note = f"fields that stand in quote marks: {quoted}"
        table.attrs["notes"] = [f"{note}; the marks belong to the text, unless quoting = true"]
    return table


def _frame(rows: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """Build a table of values as they are: a missing value does not change its column's other values."""
    import pandas as pd

    return pd.DataFrame(list(rows.values()), index=list(rows), dtype=object)


def _lines(text: str) -> list[tuple[int, str]]:
    """Number the lines of a text from 1; other separators of Unicode, such as U+2028, belong to a line."""
    return list(enumerate(re.split(r"\r\n?|\n", text), 1))


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number}, column {error.colno}: {error.msg}") from error
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is not an object")  # noqa: TRY004  # reported like the file's other faults
    return row


def _expand(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        for suffix, expand in COMPRESSION.items():
            if path.suffix == suffix:
                content = expand(content)
    except (OSError, EOFError, ValueError) as error:
        raise _damage(path, error) from error
    return content


def _damage(path: Path, error: Exception) -> DataError:
    """Build the error of a file that the system refuses, or whose content is damaged."""
    if isinstance(error, PermissionError):
        return DataError("the data file cannot be read: this user may not read it", where=path)
    return DataError("the data file cannot be read: it is damaged", where=path, found=error)


def _text(content: bytes, path: Path, encoding: str) -> str:
    try:
        codecs.lookup(encoding)
        return content.decode(encoding).removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"the data file is not {encoding} text",
            where=f"{path}, line {line}",
            expected=encoding,
            found=f"byte 0x{content[error.start]:02x}",
            fix="convert it, or name its encoding in the task's data table",
        ) from error
    except (LookupError, ValueError) as error:
        raise DataError("the encoding is not known", where=path, found=repr(encoding)) from error
