"""Facts about a task's rows: how many were read, left out and cut."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_CUT = 0.05
"""Share of rows that may be cut without a warning."""
SHOWN = 12
"""Classes that are listed."""


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """Facts about a class.

    Attributes:
        number: number of the class, which is that of the head's output.
        name: name of the class.
        rows: number of its rows in each split.
    """

    number: int
    name: str
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Facts about the rows of one task.

    Attributes:
        task: name of the task.
        read: number of rows of its files that ``keep`` leaves.
        dropped: number of these rows that were left out, by reason: unlabelled, empty, conflicting, duplicate, shared
            (between files for different splits), unseen (a label that no training row has), unused (in no split).
        rows: number of rows of each split that has rows.
        cut: number of rows of each split that were longer than ``max_length`` and lost their end.
        notes: sentences on what the files hold that may not be meant so.
        max_length: largest number of tokens of a row.
        classes: every class, by its number; empty for a regression.
    """

    task: str
    read: int
    dropped: Mapping[str, int]
    rows: Mapping[str, int]
    cut: Mapping[str, int]
    notes: tuple[str, ...] = ()
    max_length: int = 0
    classes: tuple[ClassFacts, ...] = ()

    @property
    def cut_share(self) -> float:
        """Share of all rows that lost their end."""
        return sum(self.cut.values()) / max(sum(self.rows.values()), 1)

    def sentence(self) -> str:
        """Return the number of rows in one line."""
        parts = [", ".join(f"{count} {split}" for split, count in self.rows.items()) + f" of {self.read} rows"]
        gone = [f"{count} {reason}" for reason, count in self.dropped.items() if count]
        parts += [f"dropped {', '.join(gone)}"] if gone else []
        cut = sum(self.cut.values())
        share = f" ({self.cut_share:.1%})" if cut else ""
        parts += [f"{cut} longer than {self.max_length} tokens and cut{share}"]
        return f"{self.task}: {'; '.join([*parts, *self.notes])}"

    def class_sentence(self) -> str:
        """Return each class with its number and its number of rows in one line; empty for a regression."""
        parts = [
            f"{each.number} {each.name} ({', '.join(f'{count} {split}' for split, count in each.rows.items())})"
            for each in self.classes[:SHOWN]
        ]
        more = len(self.classes) - len(parts)
        return f"{self.task}: {'; '.join(parts)}{f'; and {more} more classes' if more else ''}" if parts else ""

    def warnings(self) -> tuple[str, ...]:
        """Return sentences on what makes the task's score say little."""
        if self.cut_share <= MOST_CUT:
            return ()
        return (f"task {self.task!r}: {self.cut_share:.1%} of the rows are longer than max_length = {self.max_length}",)
