"""Studies on costs alone are evaluated a generation at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dse.errors import StudyError
from dse.records.design import DesignPoint
from dse.samplers.generations import SequenceSampler
from dse.samplers.genetic import GeneticSampler
from dse.study import generation as generations
from dse.study.tables import refresh
from tests.support.fakes import FakeProblem, fake_space, small_raw
from tests.support.studies import Notes, go, rows

COSTS: dict[str, Any] = {"objectives": ["area", "energy"]}
SAMPLERS = ("random", "qmc", "nsga2", "nsga3")
LIMIT = 36.0
"""Area above which the fake problem's chip breaks a limit."""


class Counting(FakeProblem):
    """Counts how many designs are costed in one call."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.calls: list[int] = []

    def cost(self, points: list[DesignPoint]) -> Any:
        self.calls.append(len(points))
        return super().cost(points)


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def space_of(sampler: str, **search: Any) -> Any:
    options = {"sampler_options": {"population_size": 8}} if sampler.startswith("nsga") else {}
    return fake_space(sampler=sampler, **COSTS, **options, **search)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_generation_has_the_rows_of_designs_that_are_costed_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    constraints = {"latency_us": {"max": 90.0}}
    together, alone = Counting(limit=LIMIT), Counting(limit=LIMIT)
    go(tmp_path / "together", space_of(sampler, trials=60, constraints=constraints), together)
    for kind in (GeneticSampler, SequenceSampler):
        monkeypatch.setattr(kind, "room", 1)
    go(tmp_path / "alone", space_of(sampler, trials=60, constraints=constraints), alone)
    found = rows(tmp_path / "together")

    assert rows(tmp_path / "alone") == found
    assert {row["status"] for row in found} == {"done", "infeasible"}
    assert set(alone.calls) == {1}
    assert max(together.calls) >= 8


@pytest.mark.parametrize("sampler", [*SAMPLERS, "grid", "brute-force"])
def test_a_study_that_is_continued_is_the_one_that_was_not_interrupted(tmp_path: Path, sampler: str) -> None:
    raw = small_raw(sampler=sampler, seed=5, **COSTS)
    for name, space, limit in (("large", space_of(sampler), LIMIT), ("small", fake_space(raw), 100.0)):
        if name == "large" and sampler in ("grid", "brute-force"):
            continue  # a number of it has no steps
        for folder, totals in (("whole", (15,)), ("parts", (2, 3, 9, 15))):
            for total in totals:
                done = go(tmp_path / name / folder, space, FakeProblem(limit=limit), trials=total)
            refresh(tmp_path / name / folder)
        assert rows(tmp_path / name / "whole") == rows(tmp_path / name / "parts")
        assert done.progress.evaluated == 15
        assert (done.progress.refused > 0) == (name == "large")
        assert [row["trial"] for row in rows(tmp_path / name / "parts")] == list(range(15))


def test_a_killed_study_continues_with_the_same_designs(tmp_path: Path) -> None:
    calls = 0

    def kill(point: str) -> None:
        nonlocal calls
        calls += point.startswith("generation:")
        if calls == 6:
            raise InterruptedError

    space = space_of("nsga2", trials=40)
    go(tmp_path / "whole", space, FakeProblem(limit=LIMIT))
    for _ in range(2):
        with pytest.raises(InterruptedError):
            go(tmp_path / "parts", space, FakeProblem(limit=LIMIT), hook=kill)
        calls = 1
    go(tmp_path / "parts", space, FakeProblem(limit=LIMIT))

    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")


def test_known_designs_are_told_at_once_and_leave_no_row(tmp_path: Path) -> None:
    problem, notes = Counting(), Notes()
    done = go(tmp_path, fake_space(small_raw(sampler="nsga2", trials=15, **COSTS)), problem, observer=notes)
    found, log = rows(tmp_path), events(tmp_path)
    told = [number for event in log if event["event"] == "generation" for number in event["learnt"]]

    assert len(found) == done.progress.evaluated == 15 == len(problem.costed)
    assert {row["status"] for row in found} == {"done"}
    assert done.progress.duplicates == len(told) - 15 > 0
    assert len(log) < 10


def test_a_sampler_that_only_repeats_itself_gives_way_to_random_designs(tmp_path: Path) -> None:
    options = {"population_size": 2, "mutation_prob": 0.0}
    notes = Notes()
    raw = small_raw(sampler="nsga2", sampler_options=options, trials=15, **COSTS)
    done = go(tmp_path, fake_space(raw), observer=notes)

    assert sum(row["source"] == "random" for row in rows(tmp_path)) == len(notes.notes) > 0
    assert "50 known designs in a row" in notes.notes[0]
    assert done.reason == "the budget of 15 trials is spent"


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_designs_beyond_a_limit_do_not_eat_the_budget(tmp_path: Path, sampler: str) -> None:
    problem = FakeProblem(limit=LIMIT)
    done = go(tmp_path, space_of(sampler, trials=50), problem)

    assert [row["status"] for row in rows(tmp_path)] == ["done"] * 50
    assert done.progress.refused > 0
    assert len(problem.costed) <= 50 + done.progress.refused


def test_a_given_design_beyond_a_limit_is_a_trial(tmp_path: Path) -> None:
    space = space_of("random", trials=3)
    wrong = next(
        point
        for point in map(generations_point(space), range(99))
        if FakeProblem(limit=LIMIT).cost([point])[0].violation
    )
    go(tmp_path, space, FakeProblem(limit=LIMIT), enqueue=[wrong])

    assert [row["status"] for row in rows(tmp_path)] == ["infeasible", "done", "done"]
    assert "above the reticle's 36" in rows(tmp_path)[0]["reason"]


def generations_point(space: Any) -> Any:
    from dse.samplers.encoding import Codec

    return Codec(space).random_point


def test_a_small_space_beyond_a_limit_ends_with_the_reason(tmp_path: Path) -> None:
    for sampler in ("random", "nsga2", "grid"):
        raw = small_raw(sampler=sampler, trials=10, **COSTS)
        done = go(tmp_path / sampler, fake_space(raw), FakeProblem(limit=1.0))

        assert done.progress.evaluated == 0
        assert "no design is left that has not been evaluated;" in done.reason
        assert "above the reticle's 1" in done.reason


def test_a_large_space_beyond_a_limit_has_trials_that_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "MOST_REFUSED", 20)
    done = go(tmp_path, space_of("nsga2", trials=12), FakeProblem(limit=1.0))

    assert done.progress.refused == 20
    assert [row["status"] for row in rows(tmp_path)] == ["infeasible"] * 12


def test_a_design_that_raises_fails_alone(tmp_path: Path) -> None:
    def fault(point: DesignPoint) -> None:
        if point.values["hardware.isaac.adc_bits"] == 8:
            raise ArithmeticError("no such converter")

    raw = small_raw(sampler="grid", trials=15, max_failed_share=1.0, **COSTS)
    go(tmp_path, fake_space(raw), FakeProblem(cost_fault=fault))

    for row in rows(tmp_path):
        assert row["status"] == ("failed" if row["param.hardware.isaac.adc_bits"] == 8 else "done")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda event: event.pop("learnt"), "generation with learnt"),
        (lambda event: event["learnt"].append(99), "numbers of trials below 8"),
        (lambda event: event["learnt"].pop(), "each after the one before"),
        (lambda event: event.update(patience=[1]), "patience as two whole numbers"),
        (lambda event: event["row"].pop("each"), "columns with `all` and `each`"),
        (lambda event: event["row"]["each"]["area_mm2"].pop(), "8 values of area_mm2"),
        (lambda event: event["row"]["each"].update(area_mm2=["x"] * 8), "area_mm2 as float64"),
        (lambda event: event.update(trial=3, learnt=list(range(3, 11))), "trial 0 next"),
        (lambda event: event["params"]["all"].clear() or event["params"]["each"].clear(), "parameters of a design"),
    ],
)
def test_a_damaged_generation_is_refused_with_its_line(tmp_path: Path, change: Any, said: str) -> None:
    go(tmp_path, space_of("nsga2", trials=8))
    header, *rest = events(tmp_path)
    place = next(index for index, event in enumerate(rest) if event["event"] == "generation")
    change(rest[place])
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in (header, *rest)))

    with pytest.raises(StudyError, match="line 2 of the log") as caught:
        go(tmp_path, space_of("nsga2", trials=9))
    assert said in str(caught.value)
