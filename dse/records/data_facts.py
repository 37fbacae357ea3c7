"""Facts about a task's rows: how many were read, left out and cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Facts about the rows of one task.

    Attributes:
        task: name of the task.
        read: number of rows of its files that ``keep`` leaves.
        dropped: number of these rows that were left out, by reason: unlabelled, empty, conflicting, duplicate, shared
            (between the data and an official report split), unseen (a label that no training row has).
        rows: number of rows of each split.
        cut: number of rows of each split that were longer than ``max_length`` and lost their end.
        notes: sentences on what the files hold that may not be meant so.
    """

    task: str
    read: int
    dropped: Mapping[str, int]
    rows: Mapping[str, int]
    cut: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return all facts in one line."""
        parts = [", ".join(f"{count} {split}" for split, count in self.rows.items()) + f" of {self.read} rows"]
        gone = [f"{count} {reason}" for reason, count in self.dropped.items() if count]
        parts += [f"dropped {', '.join(gone)}"] if gone else []
        cut = sum(self.cut.values())
        parts += [f"{cut} too long and cut"] if cut else []
        return f"{self.task}: {'; '.join([*parts, *self.notes])}"
