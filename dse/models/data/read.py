"""Reading labelled text into one table, cleaned and without duplicates."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import DataError, DseError, collect, raise_errors
from dse.models.data.classes import Classes, choose_classes, is_real, note_alike
from dse.models.data.labels import UNLABELLED, label_text, list_names, number_labels
from dse.models.data.same_text import ALIKE, SAME, row_keys
from dse.models.data.shards import find_classes
from dse.models.data.tables import read_table
from dse.models.outputs import Outputs
from dse.models.patterns import find_group
from dse.space.workload import DEFAULT_METRIC, REGRESSION, TaskSpec

HALF_CHARACTER = "[\ud800-\udfff]"
"""Pattern of half a surrogate pair, which JSON may hold and no encoding can write."""


def read(task: TaskSpec, path: Path, classes: Classes | None = None, *, outputs: Outputs | None = None) -> pd.DataFrame:
    """Read a task's file.

    Args:
        task: task whose data table names format, columns and cleaning.
        path: local file, possibly compressed.
        classes: classes of another file of the task; by default `choose_classes` decides.
        outputs: outputs of the task's checkpoint; None if dse fine-tunes the task.

    Returns:
        Columns text, text_b (empty for single texts), label (int classes or float), group (empty without groups) and row
        (the row's number in the file, from 1), without empty texts, duplicates, and texts with conflicting labels.
        ``attrs`` has the ``classes`` by label, the ``names`` of outputs, the number of ``rows`` before cleaning, the number of ``dropped`` rows by reason,
        and ``notes`` on what the file holds.

    Raises:
        DataError: the file or a column is missing, is not text, or leaves no usable rows.
    """
    raw = read_table(task.data, path)
    notes = raw.attrs.get("notes", [])
    picked = _pick_columns(raw, task, path)
    stored = raw.attrs.get("classes", {}).get(column := task.data.columns.get("label", "label"), [])
    if not stored and task.kind == "classification" and (beside := find_classes(path, column)):
        labels = set(picked["label"].map(str).map(label_text)) - set(UNLABELLED)
        stored = beside if labels <= set(beside) or labels <= set(map(str, range(len(beside)))) else []
    by_number = {str(number): name for number, name in enumerate(stored)}
    if by_number and not set(task.data.labels) & set(by_number):
        picked["label"] = picked["label"].map(lambda label: by_number.get(label_text(str(label)), label))
    if classes is None:
        classes = choose_classes(task, set(picked["label"].map(str)), path, outputs, stored)
        notes = [*notes, *note_alike(classes.numbers)]
    picked["label"] = number_labels(picked["label"], task, path, classes.numbers)
    labelled = picked[picked["label"].notna()]
    frame, dropped = _drop_duplicates(labelled, task, path)
    dropped = {"unlabelled": len(picked) - len(labelled), **dropped}
    frame.attrs |= {"classes": dict(classes.numbers), "names": list(classes.names)}
    frame.attrs |= {"rows": len(picked), "dropped": dropped, "notes": notes}
    return frame


def choose_kind(task: TaskSpec, paths: Sequence[Path]) -> TaskSpec:
    """Return the task with a kind and a metric.

    Without either in its table, labels that are numbers, one of them with a fraction, make it a regression.
    """
    kind = task.kind or ("regression" if task.metric in REGRESSION else "classification")
    if not task.kind and not task.metric:
        columns = (_pick_columns(read_table(task.data, path), task, path)["label"] for path in paths)
        labels = {label_text(str(label)) for column in columns for label in column} - set(UNLABELLED)
        numbers = [float(label) for label in labels if is_real(label)]
        fractions = len(numbers) == len(labels) and not all(map(float.is_integer, numbers))
        kind = "regression" if fractions else "classification"
    return task.model_copy(update={"kind": kind, "metric": task.metric or DEFAULT_METRIC[kind]})


def _pick_columns(raw: pd.DataFrame, task: TaskSpec, path: Path) -> pd.DataFrame:
    """Pick and clean the columns; labels stay as the file has them."""
    data = task.data
    names = {"text": "text", "label": "label"} | {str(role): name for role, name in data.columns.items()}
    problems: list[DseError] = []
    for role, column in (*names.items(), *(("keep", column) for column in data.keep)):
        with collect(problems):
            _check_column(raw, role, column, path)
    raise_errors(problems)
    raw = _leave_rows(raw, data.keep, path)
    frame = pd.DataFrame({"text": _texts(raw, names["text"], path)})
    frame["text_b"] = _texts(raw, names["text_b"], path) if "text_b" in names else ""
    if data.unescape:
        frame["text"] = frame["text"].map(html.unescape)
        frame["text_b"] = frame["text_b"].map(html.unescape)
    frame["text"], frame["text_b"] = frame["text"].map(str.strip), frame["text_b"].map(str.strip)
    frame["label"] = _cells(raw, names["label"], path)
    frame["group"] = _groups(raw, names, task, path)
    frame["row"] = raw.index
    return frame


def _check_column(raw: pd.DataFrame, role: str, column: str, path: Path) -> None:
    """Refuse a column that the file, or a shard of it, lacks or has twice."""
    columns = list(raw.columns)
    part, inside = raw.attrs.get("absent", {}).get(column, (path, columns))
    if column not in inside or columns.count(column) > 1:
        name = f"name it in the task's data table: columns = {{ {role} = ... }}"
        raise DataError(
            f"the data file has {'two columns' if column in inside else 'no column'} for {role}",
            where=part,
            expected=f"column {column!r}",
            found=list_names(inside) or "no columns",
            fix="give the columns different names" if column in inside else name,
        )


def _groups(raw: pd.DataFrame, names: Mapping[str, str], task: TaskSpec, path: Path) -> pd.Series[Any]:
    """Return the form of each row's group; empty without groups."""
    pattern = task.data.group_pattern
    group = _texts(raw, names["group"], path).map(label_text) if "group" in names else pd.Series("", index=raw.index)
    if pattern:
        try:
            group = pd.Series(find_group(pattern, group), index=group.index, dtype=object)
        except ValueError as error:
            raise DataError(
                "group_pattern is not usable",
                where=f"data table of task {task.name!r}",
                expected="a regular expression with a group in parentheses",
                found=error,
            ) from error
    return group.map(ALIKE[task.data.same_text])


def _leave_rows(raw: pd.DataFrame, keep: Mapping[str, Sequence[str]], path: Path) -> pd.DataFrame:
    """Leave the rows with one of the values in each column."""
    for column, values in keep.items():
        wanted = {label_text(value) for value in values}
        raw = raw[_texts(raw, column, path).map(label_text).isin(wanted)]
    return raw


def _texts(raw: pd.DataFrame, column: str, path: Path) -> pd.Series[Any]:
    """Return a column as text; missing values are empty."""
    return _cells(raw, column, path).map(str)


def _cells(raw: pd.DataFrame, column: str, path: Path) -> pd.Series[Any]:
    """Return the values of a column; missing values are empty text.

    Raises:
        DataError: the column holds bytes, lists or tables, or text that no encoding can write.
    """
    values = raw[column].astype(object)
    cells = values.where(values.notna(), "")
    odd = cells.map(lambda cell: isinstance(cell, bytes) or not pd.api.types.is_scalar(cell))
    if odd.any():
        raise DataError(
            "a value of the data file is neither text nor a number",
            where=f"{path}, row {odd.idxmax()}, column {column!r}",
            expected="text or a number",
            found=type(cells[odd].iloc[0]).__name__,
        )
    halves = cells.map(lambda cell: isinstance(cell, str) and re.search(HALF_CHARACTER, cell) is not None)
    if halves.any():
        raise DataError(
            "a text of the data file holds half of a character (a lone surrogate), which no encoding can write",
            where=f"{path}, row {halves.idxmax()}, column {column!r}",
            fix="write the file again with whole characters",
        )
    return cells


def _drop_duplicates(frame: pd.DataFrame, task: TaskSpec, path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out rows that cannot be learned or would count twice; count them by reason."""
    frame = frame.reset_index(drop=True)
    form = SAME[task.data.same_text]
    key = row_keys(frame, form)
    good = frame["text"].map(form) != ""
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
            found="no row after dropping empty, duplicate and conflicting texts",
        )
    if frame["label"].nunique() < 2:
        raise DataError(
            f"task {task.name!r} has a single label, so nothing can be learned or measured",
            where=path,
            expected="at least two different labels; blank labels and -1 mark rows without a label",
            found=frame["label"].iloc[0],
        )
    return frame, dropped
