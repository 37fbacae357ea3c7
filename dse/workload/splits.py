"""Splits: train, search and report; disjoint, by group, made after duplicates are gone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import DataError
from dse.workload.spec import TaskSpec

if TYPE_CHECKING:
    import pandas as pd

ROWS = 1000
"""Rows of search and of report where the data allow."""
SHARE = 0.2
"""Share of the data either takes at most."""
LEAST = 10
"""Rows below which a split is refused."""
SPLITS = ("train", "search", "report")


@dataclass(frozen=True, slots=True)
class Splits:
    """Three tables with columns text, text_b, label, group.

    Attributes:
        train: all fitting of any kind sees these rows only.
        search: designs are chosen by these.
        report: scored afterwards, once.
        unseen_labels: rows dropped from search and report because training has no row of their class.
    """

    train: pd.DataFrame
    search: pd.DataFrame
    report: pd.DataFrame
    unseen_labels: int = 0


def split(task: TaskSpec, frame: pd.DataFrame, report: pd.DataFrame | None = None) -> Splits:
    """Split a task's rows.

    Groups are ordered by a hash of their own text, so tasks over the same texts get the same splits, and rows added later
    do not move others.

    Args:
        task: for messages.
        frame: all rows.
        report: rows of an official dev set; search is then carved from ``frame`` alone.

    Raises:
        DataError: too few rows or groups.
    """
    if report is not None:
        frame = frame[~_key(frame).isin(set(_key(report)))]
    group = frame["group"].where(frame["group"] != "", _key(frame))
    order = group.map(_position)
    wanted = min(ROWS, int(SHARE * len(frame)))
    parts, rest = [], np.ones(len(frame), dtype=bool)
    for _ in range(1 if report is not None else 2):
        chosen = _first_groups(order[rest], wanted)
        parts.append(frame[rest][chosen])
        rest[np.flatnonzero(rest)[chosen]] = False
    search, held = parts[0], report if report is not None else parts[1]
    train = frame[rest]
    for name, part in zip(SPLITS, (train, search, held), strict=True):
        if len(part) < LEAST:
            raise DataError(
                f"task {task.name!r} has too few rows to split",
                expected=f"at least {LEAST} rows (whole groups) in each of train, search and report",
                found=f"{len(part)} in {name}, of {len(frame)} in all",
            )
    unseen = 0
    if task.kind == "classification":
        seen = set(train["label"])
        unseen = int((~search["label"].isin(seen)).sum() + (~held["label"].isin(seen)).sum())
        search, held = search[search["label"].isin(seen)], held[held["label"].isin(seen)]
    train, search, held = (part.reset_index(drop=True) for part in (train, search, held))
    return Splits(train, search, held, unseen_labels=unseen)


def _first_groups(order: pd.Series[Any], wanted: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Mask of the first whole groups that make at least the wanted rows."""
    positions, counts = np.unique(order.to_numpy(), return_counts=True)
    enough = int(np.searchsorted(np.cumsum(counts), wanted)) + 1
    return np.asarray(np.isin(order.to_numpy(), positions[:enough]))


def _key(frame: pd.DataFrame) -> pd.Series[Any]:
    return frame["text"] + "||" + frame["text_b"]


def _position(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
