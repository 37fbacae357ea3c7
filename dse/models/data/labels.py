"""Labels of a file's rows: text, stripped; whole numbers are written in one way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import DataError
from dse.space.workload import TaskSpec

UNLABELLED = ("", "-1")
"""Labels of a classification that mark a row without a label."""
SHOWN = 12
"""Names that a message lists."""


def label_text(label: str) -> str:
    """Return a label without white space around it; ``1.0`` is ``1``, since a missing label makes reals of a column."""
    stripped = label.strip()
    whole = re.fullmatch(r"([+-]?\d+)\.0+", stripped)
    return whole[1] if whole else stripped


def number_labels(values: pd.Series[Any], task: TaskSpec, path: Path, classes: Mapping[str, int]) -> pd.Series[Any]:
    """Return the number of each row's label, shape (n,); missing for a row without a label.

    Args:
        values: labels as the file has them; missing ones are empty text.
        task: task of the rows.
        path: file of the rows, for messages.
        classes: number of each class by its name; unused by a regression.

    Raises:
        DataError: a label is not a number, or belongs to no class.
    """
    if task.kind == "regression":
        return _read_numbers(values, path)
    text = values.map(str).map(label_text)
    unknown = sorted(set(text) - set(classes) - set(UNLABELLED))
    if unknown:
        raise DataError(
            f"task {task.name!r} has a label that its table of labels, or its training data, does not list",
            where=path,
            expected=f"one of: {list_names(classes)}",
            found=list_names(unknown),
            fix="add the label to labels, or leave its rows out with keep",
        )
    return text.map(classes)


def list_names(names: Iterable[object]) -> str:
    """Return the first names in one line, for a message."""
    short = [name if len(name) <= 40 else f"{name[:40]}..." for name in map(str, names)]
    shown = [name if name.isprintable() and name == name.strip() else repr(name) for name in short]
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")


def _read_numbers(values: pd.Series[Any], path: Path) -> pd.Series[Any]:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    bad = ~numbers.map(math.isfinite) & (values.map(str).map(str.strip) != "")
    if bad.any():
        raise DataError(
            "a label of a regression task is not a number",
            where=f"{path}, row {bad.idxmax()}",
            expected="a finite number",
            found=repr(values[bad].iloc[0]),
        )
    return numbers
