"""Memory of a long study: what a trial leaves in the process that runs the study."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dse.results import writer
from dse.study.observer import NullObserver, Progress
from tests.support.fakes import FakeProblem, fake_space
from tests.support.studies import go, rows

FIRST, LAST = 128, 256
LARGEST_BYTES = 5000


class Weigher(NullObserver):
    """Counts the bytes that some trials leave, those of Arrow's tables included."""

    def __init__(self, problem: FakeProblem) -> None:
        self._problem = problem
        self._before = 0
        self.left = 0

    def trial(self, progress: Progress, row: Any) -> None:
        del progress
        self._problem.costed.clear()  # the fake notes every design
        self._problem.scored.clear()
        if row["trial"] + 1 == FIRST:
            gc.collect()
            self._before = pa.total_allocated_bytes()
            tracemalloc.start()
        elif row["trial"] + 1 == LAST:
            gc.collect()
            self.left = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - self._before
            tracemalloc.stop()


def test_a_trial_leaves_at_most_5_kb_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHUNK", FIRST)  # at both moments all rows are in tables
    problem = FakeProblem()
    weigher = Weigher(problem)
    go(tmp_path, fake_space(trials=LAST), problem, observer=weigher)
    assert 0 < weigher.left / (LAST - FIRST) <= LARGEST_BYTES
    written = [row["trial"] for row in rows(tmp_path)]
    assert written == list(range(len(written)))
    assert len(written) >= LAST
