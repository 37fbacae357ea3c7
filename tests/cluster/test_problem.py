"""The problem on a cluster: what workers send is checked, and what they cannot send is measured here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dse.cluster import problem as problems
from dse.cluster.problem import ClusterProblem
from dse.cluster.request import unpack_job, unpack_request
from dse.cluster.target import Target
from dse.score.entries import Entry
from dse.space.file import load
from dse.space.searchspace import default_point
from dse.study.load import Request
from tests.support.pipeline_fixtures import build


class FakeConnection:
    def __init__(self, target: Target) -> None:
        self.target = target

    def close(self) -> None:
        """Nothing is open."""


def test_what_a_worker_sends_is_checked_and_what_it_cannot_is_measured_here(
    own_tuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = build(own_tuned / "tiny.toml", own_tuned / "cache")
    sent: list[str] = []

    class FakeCrew:
        """Eight workers, of which one answers: it damages the first score, and cannot measure the second one."""

        def __init__(self, _connection: Any, request: str, expected: str, _report: Any) -> None:
            self.accepted = set("abcdefgh")
            assert unpack_request(request).cache == (own_tuned / "cache").resolve()
            assert json.loads(expected)["outputs"] == far.digest_outputs()

        def gather(self) -> None:
            """All are there."""

        def close(self) -> None:
            """Nothing is open."""

        def compute(self, jobs: Mapping[str, str], take: Callable[[str, Entry], None]) -> None:
            for number, (key, job) in enumerate(jobs.items()):
                sent.append(job)
                text, content = far.compute(*unpack_job(job))
                if number != 1:
                    take(key, (text, content[:-9] if number == 0 else content))

    monkeypatch.setattr(problems, "Connection", FakeConnection)
    monkeypatch.setattr(problems, "Crew", FakeCrew)
    told: list[str] = []
    asked = Request(load(own_tuned / "tiny.toml"), "cpu", own_tuned / "cache")
    with ClusterProblem(asked, lambda text, _share: told.append(text), target=Target(workers=8)) as problem:
        problem.prepare()
        plain = default_point(problem.space)
        points = [
            replace(plain, values={**plain.values, "compressor.two-stage.selective": (s, s)}) for s in (0.25, 0.5)
        ]
        problem.expect(points)
        scores = [problem.score(point) for point in points]
    assert len(sent) == 4
    assert [score.evaluated for score in scores] == [2, 2]
    assert [score.tasks for score in scores] == [far.score(point).tasks for point in points]
    assert sum("a score from another machine is refused" in text for text in told) == 1
    assert sum("at most 4 of 8 workers have work at a time" in text for text in told) == 1
    assert not list((own_tuned / "cache").glob("shared-*"))
