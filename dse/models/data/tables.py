"""Reading a data file into a raw table."""

import bz2
import codecs
import csv
import gzip
import json
import re
import zlib
from collections.abc import Callable
from functools import partial
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from dse.errors import DataError
from dse.models.data.shards import find_parts, read_parts
from dse.models.patterns import find_each
from dse.models.sources import MOST_BYTES
from dse.space.data import DataSpec

COMPRESSION: dict[str, Callable[[Path], Any]] = {".bz2": bz2.open, ".gz": gzip.open}
FORMATS = {".csv": "csv", ".tsv": "tsv", ".txt": "tsv", ".jsonl": "jsonl", ".parquet": "parquet"}
SEPARATORS = {"csv": ",", "tsv": "\t"}
COMPRESSED = re.compile(rb"\x1f\x8b|BZh\d1AY&SY|PK\x03\x04|\xfd7zXZ\0|\x28\xb5\x2f\xfd")
"""First bytes of a file of gzip, bzip2, zip, xz or zstd."""
PART_BYTES = 2**24
"""Bytes that are unpacked at a time."""
BYTE_ORDER_MARK = "\ufeff"


def read_table(data: DataSpec, path: Path) -> pd.DataFrame:
    """Read a file's rows as they are; the index counts the file's rows, or the lines of JSON and of ``lines``, from 1.

    Raises:
        DataError: the file is missing, damaged, or not of its format.
    """
    parts = find_parts(path)
    suffixes = [suffix for suffix in map(str.lower, path.suffixes) if suffix not in COMPRESSION]
    form = data.format or FORMATS.get(suffixes[-1] if suffixes else "", "")
    try:
        if form == "parquet" or parts != [path]:
            return _parquet(parts)
        if form not in {*SEPARATORS, "jsonl", "lines"}:
            raise DataError(
                "the format of the data file is not known",
                where=path,
                expected=f"an ending of {', '.join(FORMATS)}, with {' or '.join(COMPRESSION)} if it is compressed, or format = ... "
                "in the task's data table",
                found=path.name,
            )
        return _parse(form, _text(_expand(path), path, data.encoding), data, path)
    except MemoryError as error:
        raise DataError("the data file does not fit into memory", where=path) from error


def _parquet(parts: list[Path]) -> pd.DataFrame:
    try:
        table = read_parts(parts)
    except DataError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _damage(parts[0], error) from error
    return table.set_axis(range(1, len(table) + 1))


def _parse(form: str, text: str, data: DataSpec, path: Path) -> pd.DataFrame:
    """Build the table of a text file."""
    if int(pd.__version__.split(".")[0]) < 3 and re.search(r"\0|\\u0000", text):
        reason = "pandas before version 3 ends a text at a null character"
        fix = "leave it out, set `encoding` where the file is UTF-16, or install pandas 3"
        raise DataError(reason, where=path, fix=fix)
    try:
        if form == "lines":
            return _match_lines(data.pattern, text)
        if form == "jsonl":
            return _frame({at: _object(line, at) for at, line in _lines(text) if line.strip()})
        return _read_delimited(form, text, data.quoting)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the data file cannot be read as {form}: {str(error).strip()}", where=path) from error


def _match_lines(pattern: str, text: str) -> pd.DataFrame:
    """Build the table of the lines that a pattern matches; ``attrs`` has a note on the other ones."""
    lines = [(at, line) for at, line in _lines(text) if line.strip()]
    matches = dict(zip((at for at, _ in lines), find_each(pattern, (line for _, line in lines)), strict=True))
    missed = [at for at, match in matches.items() if not match]
    if len(missed) == len(matches):
        raise ValueError("no line matches the pattern of the task's data table")
    table = _frame({at: match.groupdict() for at, match in matches.items() if match})
    if missed:
        table.attrs["notes"] = [f"lines that the pattern does not match: {len(missed)}, the first is line {missed[0]}"]
    return table


def _read_delimited(form: str, text: str, asked: bool | None) -> pd.DataFrame:
    """Build the table of delimited text; ``attrs`` has notes on quote marks that may mean something else."""
    quotes = form == "csv" if asked is None else asked
    quoting: Any = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    _check_separator(form, re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0])
    rows = pd.read_csv(
        StringIO(text), sep=SEPARATORS[form], header=None, quoting=quoting, dtype=str, keep_default_na=False
    )  # without a header, since pandas would change names that occur twice
    table = rows.iloc[1:].set_axis(rows.iloc[0].to_list(), axis="columns")
    cells = [cell for cell in table.to_numpy().ravel() if isinstance(cell, str)]
    if quotes and (breaks := [cell.count("\n") for cell in cells if "\n" in cell]):
        lines = sum(breaks) + len(breaks)
        note = f"fields in quote marks that run over several lines: {len(breaks)}, over {lines} lines"
        table.attrs["notes"] = [f"{note}; if the marks belong to the text, set quoting = false"]
    elif asked is None and (quoted := sum(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells)):
        note = f"fields that stand in quote marks: {quoted}"
        table.attrs["notes"] = [f"{note}; the marks belong to the text, unless quoting = true"]
    return table


def _check_separator(form: str, header: str) -> None:
    """Refuse a header with separators that the format does not have: texts and labels need two fields."""
    if "\0" in header:
        raise ValueError("its first line holds null characters; name its encoding in the task's data table")
    other = next((mark for mark in "\t;,|" if mark in header), None)
    if other and SEPARATORS[form] not in header:
        right = next(
            (f"set format = {name}" for name, mark in SEPARATORS.items() if mark == other), "write the file again"
        )
        raise ValueError(f"its first line has {other!r} between fields, not {SEPARATORS[form]!r}; {right}")


def _frame(rows: dict[int, dict[str, Any]]) -> pd.DataFrame:
    """Build a table of values as they are: a missing value does not change its column's other values."""
    return pd.DataFrame(list(rows.values()), index=list(rows), dtype=object)


def _lines(text: str) -> list[tuple[int, str]]:
    """Number the lines of a text from 1; other separators of Unicode, such as U+2028, belong to a line."""
    return list(enumerate(re.split(r"\r\n?|\n", text), 1))


def _object(line: str, number: int) -> dict[str, Any]:
    if line.lstrip().startswith("["):
        raise ValueError(f"line {number} is not an object but an array; write one object per line")
    try:
        row = json.loads(line, object_pairs_hook=_pair)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number}, column {error.colno}: {error.msg}") from error
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is not an object")  # noqa: TRY004  # reported like the file's other faults
    return row


def _pair(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object of JSON, without which a name that occurs twice would have its last value."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(f"an object has a name twice: {[name for name, _ in pairs]}")
    return values


def _expand(path: Path) -> bytes:
    try:
        unpack = COMPRESSION.get(path.suffix.lower())
        if unpack is None:
            content = path.read_bytes()
        else:
            with unpack(path) as stream:
                content = b"".join(islice(iter(partial(stream.read, PART_BYTES), b""), MOST_BYTES // PART_BYTES + 1))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _damage(path, error) from error
    if unpack is not None and len(content) > MOST_BYTES:
        raise DataError("the data file unpacks to more than 2 GiB", where=path, fix="unpack it, if you trust the file")
    if COMPRESSED.match(content):
        raise DataError(
            "the data file is compressed in a way that its ending does not name",
            where=path,
            fix=f"unpack the file; text that is compressed once may have the ending {' or '.join(COMPRESSION)}",
        )
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
        expected = "an encoding of text, such as utf-8 or latin-1"
        raise DataError("the encoding is not known", where=path, expected=expected, found=repr(encoding)) from error
