"""Designs put together from what is best for each task."""

from __future__ import annotations

import numpy as np

from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec, Params
from dse.samplers.graybox.candidates import Candidates
from dse.samplers.graybox.features import Features
from dse.samplers.graybox.recombined import Recombined
from dse.samplers.graybox.scores import TaskScores
from tests.support.additive import TASKS, Additive, additive_space

SPACE = additive_space()
CODEC = Codec(SPACE)
BITS = [f"compressor.two-stage.bits[{task}]" for task in TASKS]
SELECTIVE = [f"compressor.two-stage.selective[{task}]" for task in TASKS]


def uniform(bits: int, selective: float) -> Params:
    start = {**Candidates(CODEC, TASKS, 0).anywhere(), "compressor": "two-stage", "scheduler.fixed.batch": 2}
    return start | dict.fromkeys(BITS, bits) | dict.fromkeys(SELECTIVE, selective)


def area(points: list[DesignPoint]) -> np.ndarray:
    return np.array([[float(cost.metrics["array_area_ratio"] or 0)] for cost in Additive().cost(points)])


def put_together(scores: TaskScores, good: list[Params], count: int = 40) -> list[Params]:
    make = Candidates(CODEC, TASKS, 1)
    return Recombined(CODEC, Features(SPACE), scores).around(make, good[0], good, area, 0.05, count)


def learned(good: list[Params], lost: list[list[float]]) -> TaskScores:
    """Scores of designs (each with the same setting for all tasks), by what every task loses."""
    features = Features(SPACE)
    scores = TaskScores(len(TASKS), features.width)
    points = [CODEC.decode(params) for params in good]
    rows = features.of(points)
    for row, keys, of_tasks in zip(rows, features.keys(points, rows), lost, strict=True):
        for task, loss in enumerate(of_tasks):
            scores.learn(row[task], task, keys[task], 0.9 - loss)
    return scores


def test_what_belongs_to_no_task_stays_as_it_was() -> None:
    good = [uniform(4, 0.0), uniform(1, 0.75)]
    for params in put_together(learned(good, [[0.0] * 4, [0.05] * 4]), good):
        assert not CODEC.refusal(params)
        assert params["compressor"] == "two-stage"
        assert params["scheduler.fixed.batch"] == 2


def test_a_task_that_loses_nothing_is_compressed_and_one_that_loses_all_is_not() -> None:
    good = [uniform(4, 0.0), uniform(1, 0.75)]
    found = put_together(learned(good, [[0.0] * 4, [0.0, 0.8, 0.02, 0.02]]), good, count=100)

    def share(task: int) -> float:
        """Of designs that give a task the second setting."""
        return float(np.mean([(params[BITS[task]], params[SELECTIVE[task]]) == (1, 0.75) for params in found]))

    assert share(0) > 0.5  # cheaper and no worse; now and then another that is unknown yet
    assert share(1) < 0.05
    together = {(params[BITS[2]], params[BITS[3]]) for params in found}
    assert len(together) > 1  # between them it depends on what counts


def test_the_same_seed_puts_the_same_together() -> None:
    good = [uniform(4, 0.0), uniform(2, 0.25), uniform(1, 0.75)]
    scores = learned(good, [[0.0] * 4, [0.01] * 4, [0.05] * 4])
    assert put_together(scores, good) == put_together(scores, good)
