"""Splits: train, search and report; disjoint, by group, made after duplicates are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError
from dse.files import sha256
from dse.models.data.read import normalise
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    import pandas as pd

SHARE = 0.2
"""Share of the data either takes at most."""
STEPS = 128
LEAST = 10
SCREEN_ROWS = 256
"""Rows of the search split that designs are looked at on first."""
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
        shared: rows dropped from the data because an official report split has their text or group.
    """

    train: pd.DataFrame
    search: pd.DataFrame
    report: pd.DataFrame
    unseen_labels: int = 0
    shared: int = 0

    def part(self, name: str) -> pd.DataFrame:
        """One of the tables by name; ``search:64`` is 64 of the rows of ``search``, drawn at random but always the same."""
        split, _, rows = name.partition(":")
        whole: pd.DataFrame = getattr(self, split)
        return _draw_rows(whole, int(rows)) if rows else whole

    @property
    def screen(self) -> pd.DataFrame:
        """Some rows of the search split, drawn at random but always the same."""
        return _draw_rows(self.search, SCREEN_ROWS)


def _draw_rows(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """At most so many rows, in their order."""
    chosen = np.random.default_rng(0).permutation(len(frame))[:rows]
    return frame.iloc[np.sort(chosen)].reset_index(drop=True)


def split(task: TaskSpec, frame: pd.DataFrame, report: pd.DataFrame | None = None, where: object = None) -> Splits:
    """Split a task's rows.

    A group goes where a hash of its own text says, so tasks over the same texts get the same splits, and rows that are
    added or dropped do not move others. A group larger than a split goes to training.

    Args:
        task: says how many rows search and report have where the data allow; for messages.
        frame: all rows.
        report: rows of an official dev set; search is then carved from ``frame`` alone, without what the two share.
        where: the rows come from, for messages.

    Raises:
        DataError: too few rows or groups.
    """
    before = len(frame)
    if report is not None:
        frame = frame[~_key(frame).isin(set(_key(report))) & ~frame["group"].isin(set(report["group"]) - {""})]
    shared = before - len(frame)
    group = frame["group"].where(frame["group"] != "", _key(frame))
    wanted = min(task.split_rows, int(SHARE * len(frame)))
    place = group.map(_place).where(group.map(group.value_counts()) <= wanted, 1.0).to_numpy()
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
                fix="add rows; with an official report split, to the file that lacks them",
            )
    unseen = 0
    if task.kind == "classification":
        seen = set(train["label"])
        unseen = int((~search["label"].isin(seen)).sum() + (~held["label"].isin(seen)).sum())
        search, held = search[search["label"].isin(seen)], held[held["label"].isin(seen)]
    train, search, held = (part.reset_index(drop=True) for part in (train, search, held))
    return Splits(train, search, held, unseen_labels=unseen, shared=shared)


def _edge(place: NDArray[np.float64], start: float, wanted: int) -> float:
    """Where a split that begins at ``start`` ends so that it has the wanted rows, rounded up to a step.

    Thanks to the steps, tasks over the same texts get the same edges though one of them drops a few rows.
    """
    ahead = np.sort(place[(place >= start) & (place < 1)])
    last = ahead[min(wanted, len(ahead)) - 1] if len(ahead) else start
    return float(np.floor(last * STEPS) + 1) / STEPS


def _key(frame: pd.DataFrame) -> pd.Series[Any]:
    return frame["text"].map(normalise) + "||" + frame["text_b"].map(normalise)


def _place(text: str) -> float:
    """Place in 0 to 1 of a text's hash."""
    return int(sha256(text.encode())[:12], 16) / 2**48
