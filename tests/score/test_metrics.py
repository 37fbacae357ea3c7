"""Points that a design loses, in total and by task, with their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from dse.score.context import Outcome
from dse.score.metrics import summary


def outcome(value: float) -> Outcome:
    return Outcome(value, flagged=False, predictions=np.zeros(1))


def test_each_task_has_an_interval_of_its_own_paired_with_its_baseline() -> None:
    base = {"a": outcome(0.9), "b": outcome(0.8)}
    draws = {"a": (outcome(0.88),), "b": (outcome(0.82), outcome(0.7))}
    noise = np.linspace(-0.05, 0.05, 401)
    own = {0.88: 0.88 + 2 * noise, 0.82: 0.82 + noise, 0.7: 0.7 + noise, 0.9: 0.9 + noise, 0.8: 0.8 + noise}
    result = summary(draws, base, {"a": 0.5, "b": 0.5}, lambda _, one: own[one.value], None, 2, {"a": 0.75, "b": 0.25})
    assert result.drop_low == pytest.approx({"a": 2 - 4.75, "b": 4.0})  # b moves with its baseline
    assert result.drop_high == pytest.approx({"a": 2 + 4.75, "b": 4.0})
    assert result.metrics["accuracy_drop_low"] == pytest.approx(3 - 4.75 / 2)
    assert result.metrics["accuracy_drop_high"] == pytest.approx(3 + 4.75 / 2)
    assert result.metrics["accuracy_drop"] == pytest.approx((2 + 4) / 2)
    assert result.metrics["accuracy_drop_rated"] == pytest.approx(0.75 * 2 + 0.25 * 4)
    assert (result.chance, result.baseline) == ({"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.8})
