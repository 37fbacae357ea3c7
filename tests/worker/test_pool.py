"""Several workers find what one finds, and evaluate no task twice."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dse
from dse.errors import SetupError
from dse.space.file import load
from dse.space.searchspace import default_point
from dse.study.load import Request
from dse.worker import pool


@pytest.fixture(scope="module")
def home(own_tuned: Path) -> Path:
    return own_tuned


def forget(home: Path) -> None:
    for stored in (home / "cache" / "scores").iterdir():
        stored.unlink()


def rows(done: Any) -> list[dict[str, Any]]:
    found: Any = pd.read_parquet(done.trials).drop(columns="duration_s")
    return list(found.to_dict("records"))


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core holds one worker")
@pytest.mark.parametrize("search", ['"random"', '"graybox"\nsampler_options = { batch = 2, initial = 2, pool = 20 }'])
def test_two_workers_find_what_one_finds_and_evaluate_nothing_twice(home: Path, search: str) -> None:
    space = home / "searched.toml"
    space.write_text((home / "tiny.toml").read_text().replace('"random"', search))
    for folder in ("alone", "both"):
        shutil.rmtree(home / folder, ignore_errors=True)
    if (home / "cache").exists():
        forget(home)
    alone = dse.run(space, results=home / "alone", cache=home / "cache", device="cpu")
    forget(home)
    both = dse.run(space, results=home / "both", cache=home / "cache", device="cpu", workers=2)

    pd.testing.assert_frame_equal(pd.DataFrame(rows(alone)), pd.DataFrame(rows(both)))
    assert pd.read_parquet(both.trials)["evaluated_tasks"].sum() > 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core holds one worker")
def test_what_is_expected_is_measured_with_the_first_of_it(home: Path) -> None:
    wanted = Request(load(home / "tiny.toml"), "cpu", home / "cache")
    with pool.SharedProblem(wanted, workers=2) as problem:
        problem.prepare()
        plain = default_point(problem.space)
        first, second, third = (
            replace(plain, values={**plain.values, "compressor.two-stage.selective": (share, 0.0)})
            for share in (0.25, 0.5, 0.75)
        )
        forget(home)
        problem.expect([first, second])
        problem.score(first)
        assert problem.find_unmeasured([first, second, third]) == ((), (), (0,))
        assert problem.score(second).evaluated == 1
        assert problem.score(third).evaluated == 1


def test_cores_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3, 1, 4, 6, 5}, raising=False)
    assert pool.cores_of(2) == [[1, 3], [4, 5, 6]]
    assert pool.cores_of(5) == [[1], [3], [4], [5], [6]]
    with pytest.raises(SetupError, match=r"(?s)fewer cores than workers.*at most 5"):
        pool.cores_of(6)
