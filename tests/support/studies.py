"""Runs studies of a fast problem, and reads what they leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dse.study.observer import NullObserver, Progress
from dse.study.provenance import Provenance
from dse.study.run import Finished, run
from tests.support.fakes import FakeProblem, fake_space

VOLATILE = ("duration_s",)


class Notes(NullObserver):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.progress: list[Progress] = []
        self.reasons: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def trial(self, progress: Progress, row: Any) -> None:
        del row
        self.progress.append(progress)

    def on_finish(self, progress: Progress, reason: str) -> None:
        self.progress.append(progress)
        self.reasons.append(reason)


def go(folder: Path, space: Any = None, problem: FakeProblem | None = None, **options: Any) -> Finished:
    options.setdefault("provenance", Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "abc"}))
    return run(problem or FakeProblem(), space or fake_space(), folder=folder, **options)


def rows(folder: Path) -> list[dict[str, Any]]:
    table = pq.ParquetFile(folder / "trials.parquet").read().to_pylist()
    return [{name: value for name, value in row.items() if name not in VOLATILE} for row in table]
