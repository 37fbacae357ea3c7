"""Reading labelled text into one table, cleaned and without duplicates."""

from __future__ import annotations

import bz2
import csv
import gzip
import html
import json
import math
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DataError
from dse.space.workload import DataSpec, TaskSpec

if TYPE_CHECKING:
    import pandas as pd

COMPRESSION: dict[str, Callable[[bytes], bytes]] = {".bz2": bz2.decompress, ".gz": gzip.decompress}
FORMATS = {".csv": "csv", ".tsv": "tsv", ".txt": "tsv", ".jsonl": "jsonl", ".parquet": "parquet"}


def normalise(text: str) -> str:
    """Return the words of a text in lower case; two texts with the same normal form count as one."""
    return re.sub(r"\W+", " ", text.lower()).strip()


def read(task: TaskSpec, path: Path, classes: dict[str, int] | None = None) -> pd.DataFrame:
    """Read a task's file.

    Args:
        task: task whose data table names format, columns and cleaning.
        path: local file, possibly compressed.
        classes: number of each label by its name, from another file of the task; by default in alphabetical order.

    Returns:
        Columns text, text_b (empty for single texts), label (int classes or float) and group (empty without groups),
        without empty texts, duplicates, and texts with conflicting labels. ``attrs`` has the ``classes``, the number of
        ``rows`` before cleaning, and the number of ``dropped`` rows by reason.

    Raises:
        DataError: the file or a column is missing, is not text, or leaves no usable rows.
    """
    raw = _table(task.data, path)
    classes = classes or dict(task.data.labels) or _classes(raw, task)
    named = _pick_columns(raw, task, path, classes)
    labelled = named[named["label"].notna()]
    frame, dropped = _drop_duplicates(labelled, task, path)
    frame.attrs["classes"] = classes
    frame.attrs["rows"] = len(named)
    frame.attrs["dropped"] = {"unlabelled": len(named) - len(labelled), **dropped}
    return frame


def _table(data: DataSpec, path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        fix = "put it there, or name the folder that it lies in with --data or $DSE_DATA"
        raise DataError("the data file does not exist", where=path, fix=fix)
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSION]
    form = data.format or FORMATS.get(suffixes[-1] if suffixes else "", "")
    try:
        if form == "parquet":
            return pd.read_parquet(path, use_threads=False)
        content = _expand(path)
    except (OSError, EOFError, ValueError) as error:  # pyarrow's errors are ValueErrors or OSErrors
        raise DataError("the data file cannot be read: it is damaged", where=path, found=error) from error
    text = _text(content, path, data.encoding)
    try:
        if form == "lines":
            matches = (re.match(data.pattern, line) for line in text.splitlines())
            return pd.DataFrame([match.groupdict() for match in matches if match])
        if form == "jsonl":
            return pd.DataFrame([_object(line, at) for at, line in enumerate(text.splitlines(), 1) if line.strip()])
        if form in {"csv", "tsv"}:
            separator = "," if form == "csv" else "\t"
            if data.quoting:
                return pd.read_csv(StringIO(text), sep=separator, dtype=str, keep_default_na=False)
            return pd.read_csv(StringIO(text), sep=separator, quoting=csv.QUOTE_NONE, dtype=str, keep_default_na=False)
    except (ValueError, RecursionError, re.error) as error:
        raise DataError(f"the data file cannot be read as {form}: {error}", where=path) from error
    raise DataError(
        "the format of the data file is not known",
        where=path,
        expected=f"an ending of {', '.join(FORMATS)}, or format = ... in the task's data table",
        found=path.name,
    )


def _object(line: str, number: int) -> dict[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise ValueError(f"line {number} is not an object")  # noqa: TRY004  # reported like the file's other faults
    return row


def _expand(path: Path) -> bytes:
    content = path.read_bytes()
    for suffix, expand in COMPRESSION.items():
        if path.suffix == suffix:
            content = expand(content)
    return content


def _text(content: bytes, path: Path, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"the data file is not {encoding} text",
            where=f"{path}, line {line}",
            expected=encoding,
            found=f"byte 0x{content[error.start]:02x}",
            fix="convert it, or name its encoding in the task's data table",
        ) from error
    except LookupError as error:
        raise DataError("the encoding is not known", where=path, found=encoding) from error


def _pick_columns(raw: pd.DataFrame, task: TaskSpec, path: Path, classes: dict[str, int]) -> pd.DataFrame:
    """Pick and clean the columns."""
    import pandas as pd

    data = task.data
    names = {"text": "text", "label": "label", **data.columns}
    for role, column in (*names.items(), *(("keep", column) for column in data.keep)):
        if column not in raw.columns:
            raise DataError(
                f"the data file has no column for {role}",
                where=path,
                expected=f"column {column!r}",
                found=", ".join(map(str, raw.columns)) or "no columns",
                fix=f"name it in the task's data table: columns = {{ {role} = ... }}",
            )
    for column, values in data.keep.items():
        raw = raw[raw[column].astype(str).isin(values)]
    frame = pd.DataFrame({"text": _strings(raw[names["text"]])})
    frame["text_b"] = _strings(raw[names["text_b"]]) if "text_b" in names else ""
    if data.unescape:
        frame["text"] = frame["text"].map(html.unescape)
        frame["text_b"] = frame["text_b"].map(html.unescape)
    frame["text"], frame["text_b"] = frame["text"].str.strip(), frame["text_b"].str.strip()
    group = raw[names["group"]].astype(str) if "group" in names else pd.Series("", index=raw.index)
    if data.group_pattern:
        try:
            group = group.str.extract(data.group_pattern, expand=False).fillna("")
        except (ValueError, re.error) as error:
            raise DataError(
                "group_pattern is not usable",
                where=f"data table of task {task.name!r}",
                expected="a regular expression with one group in parentheses",
                found=data.group_pattern,
            ) from error
    frame["group"] = group.map(normalise)
    frame["label"] = _labels(raw[names["label"]], task, path, classes)
    return frame


def _labels(values: pd.Series[Any], task: TaskSpec, path: Path, classes: dict[str, int]) -> pd.Series[Any]:
    import pandas as pd

    if task.kind == "regression":
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        bad = ~numbers.map(math.isfinite) & (_strings(values).str.strip() != "")
        if bad.any():
            raise DataError(
                "a label of a regression task is not a number",
                where=f"{path}, row {int(bad.to_numpy().argmax()) + 1}",
                expected="a finite number",
                found=repr(values[bad].iloc[0]),
            )
        return numbers.astype(float)
    text = _strings(values)
    unknown = sorted(set(text) - set(classes) - {""})
    if unknown:
        raise DataError(
            f"task {task.name!r} has a label that its table of labels, or its training data, does not list",
            where=path,
            expected=f"one of: {', '.join(classes)}",
            found=", ".join(unknown[:3]),
            fix="add the label to labels, or leave its rows out with keep",
        )
    return text.map(classes)


def _classes(raw: pd.DataFrame, task: TaskSpec) -> dict[str, int]:
    """Number the classes of the rows that are not left out, in alphabetical order."""
    column = task.data.columns.get("label", "label")
    if task.kind == "regression" or column not in raw.columns:
        return {}
    for other, values in task.data.keep.items():
        raw = raw[raw[other].astype(str).isin(values)] if other in raw.columns else raw
    return {name: index for index, name in enumerate(sorted(set(_strings(raw[column])) - {""}))}


def _strings(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return values as text; missing values are empty."""
    return values.map(str).where(values.notna(), "")


def _drop_duplicates(frame: pd.DataFrame, task: TaskSpec, path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out rows that cannot be learned or would count twice; count them by reason."""
    frame = frame.reset_index(drop=True)
    key = frame["text"].map(normalise) + "||" + frame["text_b"].map(normalise)
    good = frame["text"].map(normalise).str.len() > 0
    dropped = {"empty": int((~good).sum()), "conflicting": 0}
    if task.kind == "classification":
        agree = frame["label"].groupby(key).transform("nunique") == 1
        dropped["conflicting"] = int((good & ~agree).sum())
        good &= agree
        frame["label"] = frame["label"].astype(int)
    again = key.duplicated()
    dropped["duplicate"] = int((good & again).sum())
    frame = frame[good & ~again].reset_index(drop=True)
    if not len(frame):
        raise DataError(
            f"task {task.name!r} has no usable row",
            where=path,
            expected="rows with a text and a label",
            found="none after dropping empty, duplicate and conflicting texts",
        )
    if frame["label"].nunique() < 2:
        raise DataError(
            f"task {task.name!r} has a single label, so nothing can be learned or measured",
            where=path,
            expected="at least two different labels",
            found=frame["label"].iloc[0],
        )
    return frame, dropped
