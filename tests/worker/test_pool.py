"""Several workers find what one finds, and evaluate no task twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dse
from dse.errors import SetupError
from dse.worker import pool
from tests.tiny import write_space


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    write_space(folder)
    return folder


def rows(done: Any) -> list[dict[str, Any]]:
    return pd.read_parquet(done.trials).drop(columns="duration_s").to_dict("records")


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core holds one worker")
def test_two_workers_find_what_one_finds_and_evaluate_nothing_twice(home: Path) -> None:
    space = home / "tiny.toml"
    alone = dse.run(space, results=home / "alone", cache=home / "cache", device="cpu")
    for stored in (home / "cache" / "scores").iterdir():
        stored.unlink()
    both = dse.run(space, results=home / "both", cache=home / "cache", device="cpu", workers=2)

    pd.testing.assert_frame_equal(pd.DataFrame(rows(alone)), pd.DataFrame(rows(both)))
    assert pd.read_parquet(both.trials)["evaluated_tasks"].sum() > 0


def test_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3, 1, 4, 6, 5}, raising=False)
    assert pool.cores_of(2) == [[1, 3], [4, 5, 6]]
    assert pool.cores_of(5) == [[1], [3], [4], [5], [6]]
    with pytest.raises(SetupError, match=r"(?s)fewer cores than workers.*at most 5"):
        pool.cores_of(6)
