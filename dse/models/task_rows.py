"""Rows of a task's files: read, split and described."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from dse.errors import DseError, collect, raise_errors
from dse.models.data.classes import Classes
from dse.models.data.read import read
from dse.models.data.shards import find_parts
from dse.models.data.splits import SPLITS, Splits, hold_out, split
from dse.models.data.text import encode
from dse.models.hub import fetch
from dse.models.outputs import Outputs
from dse.models.sources import unpack
from dse.records.callbacks import ProgressCallback
from dse.records.data_facts import ClassFacts, DataFacts
from dse.space.workload import TaskSpec


@dataclass(eq=False)
class TaskRows:
    """Rows of a task.

    Args:
        spec: task, with the files of its data.
        cache: folder for downloads.
        progress: callback that receives where the rows come from.
        outputs: outputs of the task's checkpoint; None if dse fine-tunes the task.
    """

    spec: TaskSpec
    cache: Path
    progress: ProgressCallback | None = None
    outputs: Outputs | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each output by its number; empty for a regression."""
        return tuple(self._tables[0][1].attrs["names"])

    @property
    def pairs(self) -> bool:
        """Whether a row has two texts."""
        return any((frame["text_b"] != "").any() for _, frame in self._tables)

    def split(self) -> Splits:
        """Split the rows; see `dse.models.data.splits`.

        Raises:
            DataError: a file is not usable, or there are too few rows.
        """
        tables = dict(zip(self._roles, (frame for _, frame in self._tables), strict=True))
        where = ", ".join(str(path) for path, _ in self._tables)
        if self.spec.checkpoint or self.spec.data.train:  # dse does not fine-tune on the rows of ``path``
            return hold_out(self.spec, tables["path"], tables.get("report"), tables.get("train"), where=where)
        return split(self.spec, tables["path"], tables.get("report"), where=where)

    def describe(self, parts: Splits, tokenizer: Any) -> DataFacts:
        """Count the rows that were read, dropped, kept and cut."""
        frames = [frame for _, frame in self._tables]
        reasons = frames[0].attrs["dropped"]
        dropped = {reason: sum(frame.attrs["dropped"][reason] for frame in frames) for reason in reasons}
        dropped |= {"shared": parts.shared, "unseen": parts.unseen_labels, "unused": parts.unused}
        tables = {name: part for name in SPLITS if len(part := parts.part(name))}
        notes = [note for frame in frames for note in frame.attrs["notes"]]
        if self.spec.checkpoint and not self.spec.data.train:
            notes.append("all rows are held out, so the checkpoint must not have been trained on them")
        longest = self.spec.max_length
        labels = {name: part["label"].value_counts().to_dict() for name, part in tables.items()}
        return DataFacts(
            self.spec.name,
            sum(frame.attrs["rows"] for frame in frames),
            dropped,
            {name: len(part) for name, part in tables.items()},
            {name: encode(tokenizer, part, longest).truncated for name, part in tables.items()},
            tuple(notes),
            longest,
            tuple(
                ClassFacts(number, name, {part: counts.get(number, 0) for part, counts in labels.items()})
                for number, name in enumerate(self.classes)
            ),
        )

    @property
    def _roles(self) -> tuple[str, ...]:
        """Keys of the data table that name the files, in the order in which the files are read."""
        return tuple(key for key in ("train", "path", "report") if key == "path" or getattr(self.spec.data, key))

    @cached_property
    def folder(self) -> Path:
        """Folder of the task's data set of the hub; empty if the files are local."""
        source = self.spec.data
        ends = ("", "-*-of-*.parquet", "/*.parquet")
        names = (f"{getattr(source, role)}{end}" for role in self._roles for end in ends)
        files = (*names, "README.md")  # which may name the classes
        return fetch(source.hub, files, source.revision, kind="dataset") if source.hub else Path()

    def check_files(self) -> list[Path]:
        """Return the path of each file or table, in the order in which they are read.

        Raises:
            DseError: files do not exist, or cannot be fetched.
        """
        source, problems = self.spec.data, list[DseError]()
        if source.archive is not None:
            return [unpack(source.archive, self.cache, self.progress)]
        paths = [self.folder / getattr(source, role) for role in self._roles]
        for path in paths:
            with collect(problems):
                find_parts(path)
        raise_errors(problems)
        return paths

    @cached_property
    def _tables(self) -> list[tuple[Path, pd.DataFrame]]:
        """Path and rows of each file; the first one's labels say what labels mean, unless a checkpoint does."""
        if self.progress is not None and not (source := self.spec.data).archive:
            place = f"data set {source.hub} of the hub" if source.hub else Path(source.path).absolute().parent
            self.progress(f"task {self.spec.name!r} reads {place}", 1.0)
        paths = self.check_files()
        tables: list[tuple[Path, pd.DataFrame]] = []
        for path in paths:
            first = tables[0][1].attrs if tables and self.outputs is None else None
            classes = None if first is None else Classes(first["classes"], tuple(first["names"]))
            tables.append((path, read(self.spec, path, classes, outputs=self.outputs)))
        return tables
