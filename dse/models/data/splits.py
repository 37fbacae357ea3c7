"""Splits: train, search and report; disjoint, by group, made after duplicates are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError
from dse.files import sha256
from dse.models.data.same_text import ALIKE, SAME, row_keys
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    import pandas as pd

SHARE = 0.2
"""Largest share of the data that search, and report, may take."""
STEPS = 128
LEAST = 10
"""Rows below which a split is refused."""
SCREEN_ROWS = 256
"""Rows of the search split that screen designs."""
SPLITS = ("train", "search", "report")


@dataclass(frozen=True, slots=True)
class Splits:
    """Three tables with columns text, text_b, label, group.

    Attributes:
        train: rows for fitting of any kind.
        search: rows that designs are chosen by.
        report: rows that are scored once, after the search.
        unseen_labels: number of rows dropped from search and report because training has no row of their class. A ready
            checkpoint knows its classes, and drops none.
        shared: number of rows dropped from the data because an official report split has their text or group.
    """

    train: pd.DataFrame
    search: pd.DataFrame
    report: pd.DataFrame
    unseen_labels: int = 0
    shared: int = 0

    def part(self, name: str) -> pd.DataFrame:
        """Return a table by name; ``search:64`` is a fixed random sample of 64 rows of ``search``."""
        split, _, rows = name.partition(":")
        whole: pd.DataFrame = getattr(self, split)
        return _draw_rows(whole, int(rows)) if rows else whole

    @property
    def screen(self) -> pd.DataFrame:
        """Fixed random sample of the search split."""
        return _draw_rows(self.search, SCREEN_ROWS)


def _draw_rows(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Draw at most ``rows`` rows, in their order."""
    chosen = np.random.default_rng(0).permutation(len(frame))[:rows]
    return frame.iloc[np.sort(chosen)].reset_index(drop=True)


def split(task: TaskSpec, frame: pd.DataFrame, report: pd.DataFrame | None = None, where: object = None) -> Splits:
    """Split a task's rows.

    A hash of a group's text decides where the group goes, so tasks over the same texts get the same splits, and added or
    dropped rows do not move others. A group larger than a split goes to training. Texts that differ in case and punctuation
    alone count as a group.

    Args:
        task: task whose ``split_rows`` is the size of search and of report, if the data allow it.
        frame: all rows.
        report: rows of an official dev set. Search then comes from those rows of ``frame`` that the dev set lacks.
        where: origin of the rows, for messages.

    Raises:
        DataError: there are too few rows or groups.
    """
    before = len(frame)
    if report is not None:
        alike = ALIKE[task.data.same_text]
        seen = row_keys(frame, alike).isin(set(row_keys(report, alike)))
        frame = frame[~seen & ~frame["group"].isin(set(report["group"]) - {""})]
    shared = before - len(frame)
    wanted = min(task.split_rows, int(SHARE * len(frame)))
    place = _places(task, frame, wanted)
    first = _edge(place, 0.0, wanted)
    second = _edge(place, first, wanted) if report is None else first
    search, train = frame[place < first], frame[place >= second]
    held = frame[(place >= first) & (place < second)] if report is None else report
    for name, part in zip(SPLITS, (train, search, held), strict=True):
        if len(part) < LEAST:
            raise DataError(
                f"task {task.name!r} has too few rows to split",
                where=where,
                expected=f"at least {LEAST} rows (whole groups) in each of train, search and report",
                found=f"{len(part)} in {name}, of {len(frame)} in all",
                fix="add rows; if there is an official report split, add them to the file that lacks rows",
            )
    unseen = 0
    if task.kind == "classification" and not task.checkpoint:
        seen = set(train["label"])
        unseen = int((~search["label"].isin(seen)).sum() + (~held["label"].isin(seen)).sum())
        search, held = search[search["label"].isin(seen)], held[held["label"].isin(seen)]
    train, search, held = (part.reset_index(drop=True) for part in (train, search, held))
    return Splits(train, search, held, unseen_labels=unseen, shared=shared)


def _places(task: TaskSpec, frame: pd.DataFrame, wanted: int) -> NDArray[np.float64]:
    """Return the place of each row from 0 to 1, shape (n,); similar texts and rows of a group have one place.

    A group with more rows than ``wanted`` goes to training. Where so many texts are similar, each exact text has a place.
    """
    alike, exact = (row_keys(frame, forms[task.data.same_text]) for forms in (ALIKE, SAME))
    alike = alike.where(alike.map(alike.value_counts()) <= wanted, exact)
    group = frame["group"].where(frame["group"] != "", alike)
    return group.map(_place).where(group.map(group.value_counts()) <= wanted, 1.0).to_numpy()


def _edge(place: NDArray[np.float64], start: float, wanted: int) -> float:
    """Find the end of a split that begins at ``start`` and has the wanted rows, rounded up to a step.

    Thanks to the steps, tasks over the same texts get the same edges even if one of them drops a few rows.
    """
    ahead = np.sort(place[(place >= start) & (place < 1)])
    last = ahead[min(wanted, len(ahead)) - 1] if len(ahead) else start
    return float(np.floor(last * STEPS) + 1) / STEPS


def _place(text: str) -> float:
    """Return the place of a text's hash, from 0 to 1."""
    return int(sha256(text.encode())[:12], 16) / 2**48
