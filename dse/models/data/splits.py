"""Splits: train, search and report; disjoint, by group, made after duplicates are dropped."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dse.errors import DataError
from dse.files import sha256
from dse.models.data.same_text import ALIKE, SAME, row_keys
from dse.records.arrays import Floats
from dse.space.workload import TaskSpec

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
    """Three tables with columns text, text_b, label, group, row.

    Attributes:
        train: rows for fitting of any kind; empty for a ready checkpoint whose data name no such rows.
        search: rows that designs are chosen by.
        report: rows that are scored once, after the search.
        unseen_labels: number of rows dropped from search and report because training has no row of their class. A ready
            checkpoint knows its classes, and drops none.
        shared: number of rows dropped because rows of another file, in another split, have their text or group.
        unused: number of rows that are in no split, since search has as many rows as it may.
    """

    train: pd.DataFrame
    search: pd.DataFrame
    report: pd.DataFrame
    unseen_labels: int = 0
    shared: int = 0
    unused: int = 0

    @property
    def sample(self) -> pd.DataFrame:
        """Training rows, or search rows where none is for training: for all that needs texts without labels."""
        return self.train if len(self.train) else self.search

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
        frame = _leave_shared(task, frame, report)
    wanted = min(task.split_rows, int(SHARE * len(frame)))
    place = _places(task, frame, wanted)
    first = _edge(place, 0.0, wanted)
    second = _edge(place, first, wanted) if report is None else first
    search, train = frame[place < first], frame[place >= second]
    held = frame[(place >= first) & (place < second)] if report is None else report
    parts = {"train": train, "search": search, "report": held}
    return _finish(task, train, parts, len(frame), where, shared=before - len(frame))


def hold_out(
    task: TaskSpec,
    frame: pd.DataFrame,
    report: pd.DataFrame | None = None,
    train: pd.DataFrame | None = None,
    where: object = None,
) -> Splits:
    """Split rows that no model was fitted on into search and report; only the rows of ``train`` are for fitting.

    Search has ``split_rows`` rows, or half of the rows without a report split. All other rows are for report, unless there
    is an official dev set.

    Args:
        task: task with a ready checkpoint, or with a file of its own for training.
        frame: rows that are held out.
        report: rows of an official dev set.
        train: rows for fitting; a row in it is not held out.
        where: origin of the rows, for messages.

    Raises:
        DataError: there are too few rows or groups.
    """
    count = len(frame) + (0 if report is None else len(report))
    if train is not None:
        frame = _leave_shared(task, frame, train)
        report = None if report is None else _leave_shared(task, report, train)
    if report is not None:
        frame = _leave_shared(task, frame, report)
    kept = len(frame) + (0 if report is None else len(report))
    wanted = min(task.split_rows, len(frame) // (2 if report is None else 1))
    place = _places(task, frame, wanted)
    first = _edge(place, 0.0, wanted)
    search, rest = frame[place < first], frame[place >= first]
    held, unused = (rest, 0) if report is None else (report, len(rest))
    parts = {"search": search, "report": held} | ({} if train is None else {"train": train})
    fitted = frame.iloc[:0] if train is None else train
    return _finish(task, fitted, parts, kept, where, shared=count - kept, unused=unused)


def _finish(
    task: TaskSpec, train: pd.DataFrame, parts: Mapping[str, pd.DataFrame], count: int, where: object, **dropped: int
) -> Splits:
    """Check the sizes of the parts, and drop rows of search and report whose class is not in training.

    Args:
        task: task of the rows.
        train: rows for fitting.
        parts: parts that must not be too small.
        count: number of all rows, for messages.
        where: origin of the rows, for messages.
        dropped: numbers of rows that are in no part, by attribute of `Splits`.
    """
    _check_size(task, parts, count, where)
    search, held, unseen = parts["search"], parts["report"], 0
    if task.kind == "classification" and not task.checkpoint:
        known = [part["label"].isin(set(train["label"])) for part in (search, held)]
        unseen = sum(int((~each).sum()) for each in known)
        search, held = search[known[0]], held[known[1]]
        _check_size(task, {**parts, "search": search, "report": held}, count, where)
    train, search, held = (part.reset_index(drop=True) for part in (train, search, held))
    return Splits(train, search, held, unseen_labels=unseen, **dropped)


def _leave_shared(task: TaskSpec, frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows whose text or group is in another table."""
    form = ALIKE[task.data.same_text]
    seen = row_keys(frame, form).isin(set(row_keys(other, form)))
    return frame[~seen & ~frame["group"].isin(set(other["group"]) - {""})]


def _check_size(task: TaskSpec, parts: Mapping[str, pd.DataFrame], count: int, where: object) -> None:
    """Refuse splits with too few rows."""
    *first, last = parts
    for name, part in parts.items():
        if len(part) < LEAST:
            raise DataError(
                f"task {task.name!r} has too few rows to split",
                where=where,
                expected=f"at least {LEAST} rows (whole groups) in each of {', '.join(first)} and {last}",
                found=f"{len(part)} in {name}, of {count} in all",
                fix="add rows; if there is an official report split, add them to the file that lacks rows",
            )


def _places(task: TaskSpec, frame: pd.DataFrame, wanted: int) -> Floats:
    """Return the place of each row from 0 to 1, shape (n,); similar texts and rows of a group have the same place.

    A group with more rows than ``wanted`` goes to training. Where so many texts are similar, each exact text has a place.
    """
    alike, exact = (row_keys(frame, forms[task.data.same_text]) for forms in (ALIKE, SAME))
    alike = alike.where(alike.map(alike.value_counts()) <= wanted, exact)
    group = frame["group"].where(frame["group"] != "", alike)
    return group.map(_place).where(group.map(group.value_counts()) <= wanted, 1.0).to_numpy()


def _edge(place: Floats, start: float, wanted: int) -> float:
    """Find the end of a split that begins at ``start`` and has the wanted rows, rounded up to a step.

    Thanks to the steps, tasks over the same texts get the same edges even if one of them drops a few rows.
    """
    ahead = np.sort(place[(place >= start) & (place < 1)])
    last = ahead[min(wanted, len(ahead)) - 1] if len(ahead) else start
    return float(np.floor(last * STEPS) + 1) / STEPS


def _place(text: str) -> float:
    """Return the place of a text's hash, from 0 to 1."""
    return int(sha256(text.encode())[:12], 16) / 2**48
