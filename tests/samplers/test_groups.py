"""Samplers that propose groups: the designs of a group follow from the trials before it, however the study was cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dse.errors import SpaceError
from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec
from dse.samplers.factory import make_factory
from dse.space.searchspace import default_point
from tests.support.fakes import FakeProblem, fake_space, small_raw
from tests.support.studies import Notes, go, rows

SAMPLERS = ("random", "tpe", "nsga2", "qmc", "graybox")


class Foreseeing(FakeProblem):
    """Keeps what it was told would be scored."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.expected: list[list[DesignPoint]] = []

    def expect(self, points: Sequence[DesignPoint], split: str = "search") -> None:
        assert split == "search"
        self.expected.append(list(points))


def space_of(sampler: str, **search: Any) -> Any:
    options = {"sampler_options": {"initial": 4, "pool": 40}} if sampler == "graybox" else {}
    return fake_space(sampler=sampler, parallel=4, **options, **search)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_group_follows_from_the_trials_before_it(tmp_path: Path, sampler: str) -> None:
    start = [default_point(space_of(sampler))]
    go(tmp_path / "whole", space_of(sampler), trials=18, enqueue=start)
    for trials in (3, 6, 13, 18):
        go(tmp_path / "parts", space_of(sampler), trials=trials, enqueue=start)

    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")
    assert len({json.dumps(row, default=str) for row in rows(tmp_path / "whole")}) >= 18


@pytest.mark.parametrize("sampler", ["nsga2", "qmc"])
def test_a_study_that_was_killed_within_a_group_goes_on_as_if_it_had_not(tmp_path: Path, sampler: str) -> None:
    def kill(point: str) -> None:
        written.append(point)
        if point == "asked:written" and written.count(point) == 7:
            raise KeyboardInterrupt

    written: list[str] = []
    go(tmp_path / "whole", space_of(sampler), trials=16)
    go(tmp_path / "parts", space_of(sampler), trials=16, hook=kill)
    go(tmp_path / "parts", space_of(sampler), trials=16)
    assert rows(tmp_path / "whole") == rows(tmp_path / "parts")


@pytest.mark.parametrize("sampler", ["random", "graybox"])
def test_designs_of_a_group_are_foretold_once(tmp_path: Path, sampler: str) -> None:
    problem = Foreseeing(limit=30.0)  # a design above it is neither scored nor foretold
    start = [default_point(space_of(sampler))]
    go(tmp_path, space_of(sampler), problem, trials=12, enqueue=start)
    foretold = [point.key() for points in problem.expected for point in points]
    assert len(problem.expected) == 3
    assert set(foretold) == {point.key() for point in problem.scored}
    assert len(set(foretold)) == len(foretold) < 12


def test_a_design_whose_cost_raises_keeps_no_other_from_being_foretold(tmp_path: Path) -> None:
    seen: list[DesignPoint] = []

    def refuse_second(point: DesignPoint) -> None:
        seen.append(point)
        if point.key() == seen[min(len(seen) - 1, 1)].key() and len(seen) > 1:
            raise ValueError("no cost")

    problem = Foreseeing(cost_fault=refuse_second)
    go(tmp_path, space_of("random", max_failed_share=1.0), problem, trials=4)
    assert [len(points) for points in problem.expected] == [3]


def test_nothing_is_foretold_where_nothing_can_be_scored_together(tmp_path: Path) -> None:
    spaces: dict[str, dict[str, Any]] = {"one": {}, "costs": {"parallel": 4, "objectives": ["area", "energy"]}}
    for name, search in spaces.items():
        problem = Foreseeing()
        go(tmp_path / name, fake_space(sampler="random", **search), problem, trials=5)
        assert problem.expected == []


def test_the_number_is_chosen_when_a_study_begins_and_kept(tmp_path: Path) -> None:
    def headers() -> list[int]:
        events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        return [event["parallel"] for event in events if event["event"] in ("header", "resumed")]

    go(tmp_path, fake_space(sampler="tpe"), trials=5, usual_parallel=3)
    go(tmp_path, fake_space(sampler="tpe"), trials=8, usual_parallel=1)
    assert headers() == [3, 3]
    go(tmp_path / "once", fake_space(sampler="tpe", parallel=3), trials=8)
    assert rows(tmp_path) == rows(tmp_path / "once")


def test_a_log_without_the_number_was_begun_one_design_at_a_time(tmp_path: Path) -> None:
    go(tmp_path, trials=2)
    log = tmp_path / "log.jsonl"
    log.write_text(log.read_text().replace('"parallel":1,', "").replace(',"parallel":1', ""))
    assert '"parallel"' not in log.read_text()
    go(tmp_path, trials=4, usual_parallel=16)
    assert '"parallel":1' in log.read_text().splitlines()[-5]


def test_a_small_space_is_searched_to_its_end_in_groups(tmp_path: Path) -> None:
    for sampler in ("grid", "brute-force"):
        notes = Notes()
        go(tmp_path / sampler, fake_space(small_raw(sampler=sampler, parallel=4)), trials=99, observer=notes)
        assert notes.progress[-1].evaluated == 15


def test_two_numbers_for_one_sampler_are_refused() -> None:
    space = fake_space(sampler="graybox", parallel=4, sampler_options={"batch": 2})
    with pytest.raises(SpaceError, match=r"(?s)older name of `parallel`.*expected: 4, or no `batch`.*batch = 2"):
        make_factory(space, Codec(space))
    same = fake_space(sampler="graybox", parallel=4, sampler_options={"batch": 4})
    assert make_factory(same, Codec(same)).name == "graybox"
