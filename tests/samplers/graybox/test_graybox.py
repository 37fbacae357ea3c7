"""The sampler `graybox`: what it sees of points, what it expects of them, and what studies of it find."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from dse.errors import SpaceError, StudyError, UnknownNameError
from dse.records.design import DesignPoint
from dse.results.pareto import hypervolume
from dse.samplers.encoding import Codec
from dse.samplers.factory import make_factory
from dse.samplers.graybox.candidates import Candidates
from dse.samplers.graybox.features import Features
from dse.samplers.graybox.scores import PRIOR, TaskScores
from dse.study.provenance import Provenance
from dse.study.run import Finished, run
from tests.support.additive import PARAMETERS, TASKS, Additive, additive_space

SPACE = additive_space()
CODEC = Codec(SPACE)
REFERENCE = (1.0, 1.25, 5.0)


def point(compressor: str = "two-stage", *, batch: int = 1, **values: Any) -> DesignPoint:
    declared = {
        item.full_name: (item.parameter.default,) * 4 if item.parameter.scope else item.parameter.default  # type: ignore[union-attr]
        for item in PARAMETERS
        if item.plugin in ("independent", compressor, "fixed", "isaac")
    }
    chosen = {f"compressor.{compressor}.{name}": value for name, value in values.items()}
    return DesignPoint(
        "independent", compressor, "fixed", "isaac", declared | chosen | {"scheduler.fixed.batch": batch}
    )


def go(folder: Path, problem: Any = None, **search: Any) -> Finished:
    trials = search.pop("trials", 30)
    return run(
        problem or Additive(), additive_space(**search), folder=folder, provenance=Provenance({}, {}), trials=trials
    )


def rows(folder: Path) -> list[dict[str, Any]]:
    found = pq.ParquetFile(folder / "trials.parquet").read().to_pylist()
    return [{name: value for name, value in row.items() if name != "duration_s"} for row in found]


def covered(folder: Path, task_scores: int) -> float:
    """Hypervolume of the trials that so many task scores paid for."""
    spent, values = 0, []
    for row in rows(folder):
        spent += row["evaluated_tasks"] or 0
        if row["status"] == "done" and spent <= task_scores:
            values.append((row["array_area_ratio"], row["energy_ratio"], row["accuracy_drop"]))
    return hypervolume(np.array(values), REFERENCE)


def test_rows_differ_where_something_reaches_the_tasks_score() -> None:
    features = Features(SPACE)
    one, same, other = point(bits=(1, 2, 3, 4)), point(bits=(1, 2, 3, 4), batch=3), point(bits=(1, 4, 3, 4))
    found = features.of([one, same, other, point("other")])
    keys = features.keys([one, same, other], found[:3])

    assert found.shape == (4, 4, features.width)
    assert found.min() >= 0
    assert found.max() <= 1
    assert keys[0] == keys[1]  # a scheduler's parameter reaches no score
    assert [mine == theirs for mine, theirs in zip(keys[0], keys[2], strict=True)] == [True, False, True, True]
    assert not (found[3] == found[0]).all(axis=1).any()


def test_under_a_joint_generator_every_task_sees_all() -> None:
    features = Features(SPACE, joint=("independent",))
    one, other = point(bits=(1, 2, 3, 4)), point(bits=(1, 4, 3, 4))
    found = features.of([one, other])
    keys = features.keys([one, other], found)

    assert not set(keys[0]) & set(keys[1])
    assert not np.array_equal(found[0, 0], found[1, 0])  # the mean over tasks differs


def test_what_was_measured_is_known_and_the_rest_is_expected_from_it() -> None:
    features, scores = Features(SPACE), TaskScores(4, Features(SPACE).width)
    points = [point(bits=(bits,) * 4) for bits in (1, 2, 4)]
    table = features.of(points)
    keys = features.keys(points, table)
    before = scores.predict(table, keys)
    assert before[1].tolist() == [[PRIOR] * 4] * 3
    for index, bits in enumerate((1, 2, 4)):
        for task in range(4):
            scores.learn(table[index, task], task, keys[index][task], 0.9 - (4 - bits) / 100)

    mean, deviation, missing = scores.predict(table, keys)
    np.testing.assert_allclose(mean, [[0.87] * 4, [0.88] * 4, [0.9] * 4])
    assert not deviation.any()
    assert not missing.any()
    between = features.of([point(bits=(3,) * 4), point(bits=(4, 4, 4, 3))])
    new_keys = features.keys([point(bits=(3,) * 4), point(bits=(4, 4, 4, 3))], between)
    mean, deviation, missing = scores.predict(between, new_keys)
    assert 0.875 < mean[0].mean() < 0.905
    assert missing.tolist() == [4, 1]
    assert deviation[1].tolist() == [0, 0, 0, pytest.approx(deviation[0, 3])]
    assert deviation[0].min() > 0


def test_candidates_stay_in_the_space() -> None:
    make = Candidates(CODEC, TASKS, seed=0)
    one, other = make.anywhere(), make.alike()
    same = [name for name in CODEC.domains if "bits" in name]
    assert len({other[name] for name in same}) == 1
    for _ in range(200):
        for params in (make.anywhere(), make.alike(), make.near(one), make.mix(one, other)):
            assert not CODEC.refusal(params)
    near = [make.near(one) for _ in range(100)]
    changed = [sum(params[name] != one[name] for name in one) for params in near]
    assert max(changed) <= 3
    mixed = [make.mix(one, other) for _ in range(50)]
    per_task = {name for name in one if "[" in name}
    assert all(params[name] in (one[name], other[name]) for params in mixed for name in per_task)


def test_a_study_is_the_same_again_and_when_it_is_continued(tmp_path: Path) -> None:
    go(tmp_path / "whole", trials=24)
    go(tmp_path / "again", trials=24)
    go(tmp_path / "parts", trials=11)
    go(tmp_path / "parts", trials=24)

    whole = rows(tmp_path / "whole")
    assert rows(tmp_path / "again") == whole
    parts = rows(tmp_path / "parts")
    assert [{**row, "evaluated_tasks": 0} for row in parts] == [{**row, "evaluated_tasks": 0} for row in whole]
    assert len({str(row["param.compressor.two-stage.bits"]) + str(row) for row in whole}) == 24
    assert not any(row["status"] == "duplicate" for row in whole)


def test_it_finds_more_with_fewer_task_scores(tmp_path: Path) -> None:
    go(tmp_path / "graybox", trials=60)
    go(tmp_path / "nsga2", trials=60, sampler="nsga2")
    go(tmp_path / "random", trials=60, sampler="random")

    ours = covered(tmp_path / "graybox", 40)
    assert ours > covered(tmp_path / "nsga2", 200)
    assert ours > covered(tmp_path / "random", 200)
    free = [row for row in rows(tmp_path / "graybox") if row["evaluated_tasks"] == 0]
    assert len(free) > 10  # what recombines measured scores is recorded too


def test_limits_known_before_a_score_are_kept(tmp_path: Path) -> None:
    go(tmp_path, trials=20, constraints={"array_area_ratio": {"max": 0.7}})
    later = rows(tmp_path)[1:]
    assert all(row["array_area_ratio"] <= 0.7 for row in later)


@pytest.mark.parametrize(
    "limit", [{"accuracy_drop": {"max": 0.5}}, {"score_mean": {"min": 0.895}}, {"score.trec50": {"min": 0.895}}]
)
def test_fewer_designs_break_limits_of_scores_than_without_them(tmp_path: Path, limit: dict[str, Any]) -> None:
    go(tmp_path / "kept", trials=40, constraints=limit)
    go(tmp_path / "blind", trials=40)

    def broken(folder: Path) -> int:
        (metric, bound), *_ = limit.items()
        values = [row[metric] for row in rows(folder)[20:]]
        return sum(value > bound["max"] if "max" in bound else value < bound["min"] for value in values)

    assert broken(tmp_path / "kept") < broken(tmp_path / "blind")


@pytest.mark.parametrize(
    "objectives", [["energy", "accuracy"], ["area", "energy"], ["area", "energy", "latency", "accuracy"], ["accuracy"]]
)
def test_any_objectives_will_do(tmp_path: Path, objectives: list[str]) -> None:
    done = go(tmp_path, trials=14, objectives=objectives)
    assert done.progress.evaluated == 14
    assert not any(row["status"] == "duplicate" for row in rows(tmp_path))


def test_costs_are_asked_for_in_batches(tmp_path: Path) -> None:
    calls: list[int] = []

    class Counted(Additive):
        def cost(self, points: list[DesignPoint]) -> Any:
            calls.append(len(points))
            return super().cost(points)

    go(tmp_path, Counted(), trials=12)
    assert max(calls) > 100
    assert len(calls) < 12 * 4


def test_options_are_checked() -> None:
    with pytest.raises(UnknownNameError, match=r"(?s)pol.*did you mean 'pool'"):
        make_factory(additive_space(sampler_options={"pol": 3}), CODEC)
    for value in (0, 1.5, True):
        with pytest.raises(SpaceError, match="a whole number from 1"):
            make_factory(additive_space(sampler_options={"pool": value}), CODEC)


class Foreseeing(Additive):
    """Keeps what it was told would be scored."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[list[DesignPoint]] = []

    def expect(self, points: Sequence[DesignPoint], split: str = "search") -> None:
        assert split == "search"
        self.expected.append(list(points))


def test_a_batch_follows_from_the_trials_before_it(tmp_path: Path) -> None:
    options = {"sampler_options": {"batch": 4, "initial": 4, "pool": 150}}
    go(tmp_path / "whole", trials=24, **options)
    go(tmp_path / "parts", trials=10, **options)
    go(tmp_path / "parts", trials=11, **options)
    go(tmp_path / "parts", trials=24, **options)

    whole, parts = rows(tmp_path / "whole"), rows(tmp_path / "parts")
    assert [{**row, "evaluated_tasks": 0} for row in parts] == [{**row, "evaluated_tasks": 0} for row in whole]
    assert not any(row["status"] == "duplicate" for row in whole)


def test_points_of_a_batch_are_foretold_and_differ(tmp_path: Path) -> None:
    problem = Foreseeing()
    limits = {"array_area_ratio": {"max": 0.7}}
    go(tmp_path, problem, trials=24, sampler_options={"batch": 4, "pool": 150}, constraints=limits)

    foretold = [point for points in problem.expected for point in points]
    assert len(problem.expected) == 6
    assert foretold == problem.scored  # the default design breaks the limit: it is neither scored nor foretold
    assert len({point.key() for point in foretold}) == len(foretold)
    assert max(len(points) for points in problem.expected) == 4


def test_choosing_in_batches_costs_little(tmp_path: Path) -> None:
    for batch in (1, 4):
        go(tmp_path / str(batch), trials=40, sampler_options={"batch": batch, "pool": 150})
    assert covered(tmp_path / "4", 60) > 0.98 * covered(tmp_path / "1", 60)


def test_nothing_is_foretold_of_single_points_or_where_a_screen_may_stop_them(tmp_path: Path) -> None:
    for search in ({}, {"sampler_options": {"batch": 3}, "screen": True}):
        problem = Foreseeing()
        go(tmp_path / str(len(search)), problem, trials=9, **search)
        assert not problem.expected


def profiled() -> list[dict[str, Any]]:
    """What a profile would measure of the problem: every setting of `bits`, the same for every task."""
    found = []
    for bits in (1, 2, 3, 4):
        uniform = point(bits=(bits,) * 4)
        scores = Additive().score(uniform)
        cells: dict[str, Any] = {
            kind: uniform.plugin(kind) for kind in ("generator", "compressor", "scheduler", "hardware")
        }
        cells |= {f"param.{name}": value for name, value in uniform.values.items()}
        cells |= {f"score.{name}": value for name, value in scores.tasks.items()}
        metrics = {name: scores.metrics[name] for name in ("score_mean", "accuracy_drop_all")}
        found.append({"status": "profiled", **cells, **metrics})
    return found


def with_profile(folder: Path, trials: int, *, given: bool = True, **search: Any) -> list[dict[str, Any]]:
    space = additive_space(sampler_options={"initial": 2, "pool": 150} if not search else {}, **search)
    run(
        Additive(),
        space,
        folder=folder,
        provenance=Provenance({}, {}),
        trials=trials,
        profiled=profiled() if given else (),
    )
    return rows(folder)


def test_a_profile_tells_of_scores_and_is_no_trial(tmp_path: Path) -> None:
    with_it = with_profile(tmp_path / "with", 16)
    without = with_profile(tmp_path / "without", 16, given=False)

    assert [row["trial"] for row in with_it] == list(range(16))
    assert with_it[:2] == without[:2]  # drawn
    assert with_it[2:] != without[2:]
    assert with_it[0]["evaluated_tasks"] == 4  # the study measures what it counts on
    header = json.loads((tmp_path / "with" / "log.jsonl").read_text().splitlines()[0])
    assert [row["score_mean"] for row in header["profiled"]] == [row["score_mean"] for row in profiled()]


def test_a_study_knows_its_profile_when_it_is_continued(tmp_path: Path) -> None:
    whole = with_profile(tmp_path / "whole", 12)
    with_profile(tmp_path / "parts", 5)
    parts = with_profile(tmp_path / "parts", 12, given=False)
    assert [{**row, "evaluated_tasks": 0} for row in parts] == [{**row, "evaluated_tasks": 0} for row in whole]


def test_a_sampler_that_does_not_learn_from_scores_ignores_a_profile(tmp_path: Path) -> None:
    assert with_profile(tmp_path / "with", 6, sampler="random") == with_profile(
        tmp_path / "without", 6, given=False, sampler="random"
    )
    assert "profiled" not in (tmp_path / "with" / "log.jsonl").read_text()


def test_a_log_whose_profile_is_damaged_is_refused(tmp_path: Path) -> None:
    with_profile(tmp_path, 3)
    log = tmp_path / "log.jsonl"
    lines = log.read_text().splitlines()
    header = json.loads(lines[0])
    for wrong in ({"score_mean": "much"}, {"generator": None}):
        damaged = {**header, "profiled": [{**header["profiled"][0], **wrong}]}
        log.write_text("\n".join([json.dumps(damaged), *lines[1:]]) + "\n")
        with pytest.raises(StudyError, match=r"(?s)line 1 of the log is damaged.*designs of a profile"):
            with_profile(tmp_path, 4)
