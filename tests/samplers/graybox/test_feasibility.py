"""What limits of scores leave of a point's chance."""

from __future__ import annotations

import numpy as np
import pytest

from dse.samplers.graybox.feasibility import Feasibility
from tests.support.additive import TASKS, additive_space

MEANS = np.array([[0.9, 0.9, 0.9, 0.9], [0.9, 0.8, 0.9, 0.9]])
SURE = np.zeros_like(MEANS)


def chance(limits: dict[str, dict[str, float]], deviations: np.ndarray = SURE) -> list[float]:
    feasibility = Feasibility(additive_space(constraints=limits).file, TASKS)
    return [float(share) for share in np.broadcast_to(feasibility.chance(MEANS, deviations, 0.9), 2)]


@pytest.mark.parametrize(
    "limits",
    [
        {"score_mean": {"min": 0.88}},
        {"score.trec50": {"min": 0.85}},
        {"accuracy_drop": {"max": 2.0}},
        {"accuracy_drop_all": {"max": 2.0}},
        {"score.trec50": {"min": 0.85}, "accuracy_drop": {"max": 2.0}},
    ],
)
def test_what_was_measured_keeps_a_limit_or_does_not(limits: dict[str, dict[str, float]]) -> None:
    assert chance(limits) == [1, 0]


def test_the_other_side_of_a_limit() -> None:
    assert chance({"score_mean": {"max": 0.88}}) == [0, 1]
    assert chance({"accuracy_drop": {"min": 2.0}}) == [0, 1]


def test_what_is_uncertain_has_a_chance() -> None:
    first, second = chance({"score.trec50": {"min": 0.85}}, np.full_like(MEANS, 0.05))
    assert first == pytest.approx(0.8413, abs=1e-4)  # one standard deviation above
    assert second == pytest.approx(0.1587, abs=1e-4)
    mean = chance({"accuracy_drop": {"max": 1.25}}, np.full_like(MEANS, 0.05))
    assert mean == pytest.approx([0.6915, 0.3085], abs=1e-4)  # half of 0.025, that of a mean of four


def test_limits_of_other_metrics_are_not_foreseen() -> None:
    assert chance({"latency_us": {"max": 1.0}, "accuracy_drop_worst": {"max": 0.1}}) == [1, 1]
