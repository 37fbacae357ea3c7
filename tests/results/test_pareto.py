"""Dominance and hypervolume against brute force."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dse.errors import StudyError
from dse.results.objectives import read_objectives
from dse.results.pareto import (
    RunningFront,
    front_mask,
    hypervolume,
    hypervolume_history,
    mask_nondominated,
    study_hypervolume,
)

DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=150)


@st.composite
def clouds(draw: st.DrawFn) -> tuple[Any, list[bool]]:
    """Points on a coarse grid, so that ties and equal points are common, with directions."""
    width = draw(st.integers(1, 4))
    points = draw(hnp.arrays(np.float64, st.tuples(st.integers(0, 12), st.just(width)), elements=st.integers(0, 4)))
    return points, draw(st.lists(st.booleans(), min_size=width, max_size=width))


def beats(a: Any, b: Any, maximise: list[bool]) -> bool:
    signed = [(-x, -y) if up else (x, y) for x, y, up in zip(a, b, maximise, strict=True)]
    return all(x <= y for x, y in signed) and any(x < y for x, y in signed)


@given(clouds())
@DETERMINISTIC
def test_the_front_is_what_no_other_point_beats(cloud: tuple[Any, list[bool]]) -> None:
    points, maximise = cloud
    expected = [
        not any(beats(other, point, maximise) for other in points)
        and not any(np.array_equal(earlier, point) for earlier in points[:index])
        for index, point in enumerate(points)
    ]

    assert mask_nondominated(points, maximise).tolist() == expected


@given(clouds())
@DETERMINISTIC
def test_the_running_front_agrees_with_the_whole_one(cloud: tuple[Any, list[bool]]) -> None:
    points, maximise = cloud
    front = RunningFront(maximise)
    for count, point in enumerate(points, start=1):
        on_front = front.add(point)
        mask = mask_nondominated(points[:count], maximise)
        assert on_front == mask[-1]
        assert len(front) == mask.sum()


@given(clouds())
@DETERMINISTIC
def test_hypervolume_counts_the_dominated_cells(cloud: tuple[Any, list[bool]]) -> None:
    points, maximise = cloud
    reference = [0.0 if up else 4.0 for up in maximise]
    signed = np.where(maximise, 4.0 - points, points)
    cells = itertools.product(range(4), repeat=len(maximise))
    expected = sum(any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in signed) for cell in cells)

    assert hypervolume(points, reference, maximise) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_points_that_are_not_finite_are_refused(bad: float) -> None:
    points = np.array([[1.0, 2.0], [bad, 1.0]])
    with pytest.raises(StudyError, match="not finite has no place on a front") as caught:
        mask_nondominated(points, [False, False])
    assert "row 1" in str(caught.value)
    with pytest.raises(StudyError, match="no place on a front"):
        hypervolume(points, [5.0, 5.0])


def row(status: str, area: float | None, score: float | None, **more: Any) -> dict[str, Any]:
    return {"status": status, "area_mm2": area, "score_mean": score, **more}


def test_only_done_rows_are_on_the_front_and_accuracy_counts_upwards() -> None:
    rows = [
        row("done", 2.0, 0.9),
        row("infeasible", 1.0, 0.99),
        row("failed", None, None),
        row("done", 1.0, 0.8),
        row("done", 2.0, 0.85),
        row("duplicate", None, None),
        row("done", 2.0, 0.9),
    ]

    assert front_mask(rows, read_objectives(["area", "accuracy"])) == [True, False, False, True, False, False, False]
    assert front_mask([], read_objectives(["area"])) == []
    assert front_mask([row("failed", None, None)], read_objectives(["area"])) == [False]


def test_a_studys_hypervolume_is_in_the_metrics_of_its_reference_point() -> None:
    reference = {"area_ratio": 1.0, "accuracy_drop": 5.0}
    rows = [
        row("done", 1.0, 1.0, area_ratio=0.5, accuracy_drop=1.0),
        row("done", 1.0, 1.0, area_ratio=0.25, accuracy_drop=3.0),
        row("done", 1.0, 1.0, area_ratio=0.1, accuracy_drop=9.0),
        row("failed", None, None),
    ]

    assert study_hypervolume(rows, reference) == pytest.approx(0.5 * 4 + 0.25 * 2)
    assert study_hypervolume([*rows, row("done", 1.0, None, area_ratio=0.5)], reference) is None
    assert study_hypervolume([], reference) == 0.0


def test_of_a_score_more_is_better() -> None:
    rows = [row("done", 1.0, 0.9, area_ratio=0.5), row("done", 1.0, 0.4, area_ratio=0.1)]
    assert study_hypervolume(rows, {"area_ratio": 1.0, "score_mean": 0.5}) == pytest.approx(0.5 * 0.4)


def test_the_history_is_the_hypervolume_of_the_front_after_each_trial() -> None:
    draw = np.random.default_rng(0)
    reference = {"area_ratio": 1.0, "accuracy_drop": 5.0}
    rows = [
        row("done" if n % 3 else "failed", area, 1 - drop / 100, area_ratio=area, accuracy_drop=drop, trial=n)
        for n, (area, drop) in enumerate(draw.uniform([0.1, 0], [1.2, 6], (40, 2)))
    ]
    found = hypervolume_history(rows, read_objectives(["area", "accuracy"]), reference)
    assert found is not None
    done = [item["trial"] for item in rows if item["status"] == "done"]
    assert [trial for trial, _ in found] == done
    for trial, volume in found:
        seen = rows[: trial + 1]
        front = [
            item
            for item, kept in zip(seen, front_mask(seen, read_objectives(["area", "accuracy"])), strict=True)
            if kept
        ]
        assert volume == pytest.approx(study_hypervolume(front, reference))
    assert hypervolume_history(rows[:1], read_objectives(["area", "accuracy"]), reference) == []
    assert hypervolume_history(rows, read_objectives(["area", "accuracy"]), {"latency_ratio": 1.0}) is None
