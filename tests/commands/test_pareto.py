"""A front can be divided by a column, and columns are named in short."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dse
from dse.errors import UnknownNameError
from dse.results.objectives import read_objectives
from dse.results.read import read_metadata, read_trials

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "example"


@pytest.mark.parametrize("by", ["compressor", "param.hardware.isaac.adc_bits"])
def test_each_value_of_a_column_has_the_front_of_its_own_designs(by: str) -> None:
    trials = read_trials(EXAMPLE)
    done = trials[trials["status"] == "done"]
    goals = read_objectives(read_metadata(EXAMPLE / "trials.parquet")["objectives"])
    signs = np.array([-1.0 if goal.maximise else 1.0 for goal in goals])
    expected = set()
    for _, group in done.groupby(by, dropna=False):
        points = (
            group[[goal.column for goal in goals]].map(lambda value: float(f"{value:.12g}")).to_numpy(float) * signs
        )
        for trial, point in zip(group["trial"], points, strict=True):
            others = points[(points != point).any(axis=1)]
            if not (others <= point).all(axis=1).any():
                expected.add(trial)
    front = dse.pareto(EXAMPLE, by=by)
    assert front.columns[0] == by
    assert set(front["trial"]) == expected
    assert len(front) > len(dse.pareto(EXAMPLE))
    assert list(front[by]) == sorted(front[by])


def test_columns_are_named_by_pattern_or_by_the_end_of_their_name() -> None:
    front = dse.pareto(EXAMPLE, columns=["trial", "area.*", "adc_bits"], limit=2)
    names = [name for name in read_trials(EXAMPLE).columns if name.startswith("area.")]
    assert list(front.columns) == ["trial", *names, "param.hardware.isaac.adc_bits"]


def test_a_column_that_is_not_there_or_holds_lists_divides_nothing() -> None:
    with pytest.raises(UnknownNameError, match="no column called 'hardwares'"):
        dse.pareto(EXAMPLE, by="hardwares")
    with pytest.raises(UnknownNameError, match="holds lists"):
        dse.pareto(EXAMPLE, by="tasks")
    with pytest.raises(UnknownNameError, match=r"no column called 'area\.x\*'"):
        dse.pareto(EXAMPLE, columns=["area.x*"])
