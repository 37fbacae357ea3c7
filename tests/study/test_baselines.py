"""The table of baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dse.records.scored import BaselineCosts
from tests.support.fakes import FakeProblem, fake_space, raw_space
from tests.support.studies import Notes, go


class Compared(FakeProblem):
    """A problem with two baselines, whose area tells designs apart; it counts the designs that were compared."""

    def __init__(self) -> None:
        super().__init__()
        self.compared = 0

    def compare(self, points: Sequence[Any], throughput_rps: Sequence[float | None]) -> list[BaselineCosts]:
        assert len(points) == len(throughput_rps)
        self.compared += len(points)
        areas = [cost.metrics["area_mm2"] for cost in self.cost(list(points))]
        return [{"paper": {"area_mm2": area, "writes": None}, "best": {"area_mm2": 1.0}} for area in areas]


def test_every_done_trial_has_its_baselines_and_each_is_compared_once(tmp_path: Path) -> None:
    first, second, third = Compared(), Compared(), Compared()
    go(tmp_path, problem=first, trials=5)
    go(tmp_path, problem=second, trials=8)
    table = pd.read_parquet(tmp_path / "baselines.parquet")
    trials = pd.read_parquet(tmp_path / "trials.parquet")

    done = trials[trials["status"] == "done"].set_index("trial")["area_mm2"]
    assert sorted(table["trial"]) == sorted([*done.index, *done.index])
    assert table[table["baseline"] == "paper"].set_index("trial")["area_mm2"].to_dict() == done.to_dict()
    assert (table["accounting"] == 2).all()
    assert first.compared + second.compared == len(done)

    (tmp_path / "baselines.parquet").write_bytes(b"PAR1")  # damage, or another version of the table
    go(tmp_path, problem=third, trials=9)
    again = pd.read_parquet(tmp_path / "baselines.parquet")
    assert third.compared == again["trial"].nunique() > first.compared + second.compared - 1
    pd.testing.assert_frame_equal(again.iloc[: len(table)], table)


def test_a_problem_without_baselines_has_no_such_table(tmp_path: Path) -> None:
    go(tmp_path, trials=3)
    assert not (tmp_path / "baselines.parquet").exists()


def test_a_reference_other_than_the_default_is_named(tmp_path: Path) -> None:
    raw = raw_space()
    raw["reference_hardware"] = {"parameters": {"rows": 64}}
    notes = Notes()
    go(tmp_path, fake_space(raw), trials=1, observer=notes)
    (said,) = (note for note in notes.notes if "_reference" in note)
    assert said.endswith("compare with isaac with rows = 64, not with the published configuration")
    assert not fake_space().file.reference_hardware.warning
