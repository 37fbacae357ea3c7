"""What became of a task's rows, for a person who wants to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Rows of one task.

    Attributes:
        task: name.
        read: rows of its files, those that ``keep`` leaves.
        dropped: how many of them were left out, by reason: unlabelled, empty, conflicting, duplicate, shared (between the
            data and an official report split), unseen (a label training has no row of).
        rows: of each split.
        cut: rows of each split that were longer than ``max_length`` and lost their end.
    """

    task: str
    read: int
    dropped: Mapping[str, int]
    rows: Mapping[str, int]
    cut: Mapping[str, int]

    def sentence(self) -> str:
        """All of it in one line."""
        parts = [", ".join(f"{count} {split}" for split, count in self.rows.items()) + f" of {self.read} rows"]
        gone = [f"{count} {reason}" for reason, count in self.dropped.items() if count]
        parts += [f"dropped {', '.join(gone)}"] if gone else []
        cut = sum(self.cut.values())
        parts += [f"{cut} too long and cut"] if cut else []
        return f"{self.task}: {'; '.join(parts)}"
