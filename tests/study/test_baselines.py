"""The table of baselines, which follows from the log alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dse
from dse.study.tables import refresh
from tests.support.fakes import FakeProblem, fake_space, raw_space
from tests.support.studies import Notes, go


class Compared(FakeProblem):
    """A problem with two baselines, whose area tells designs apart."""

    def compare(self, point: Any) -> dict[str, dict[str, float | None]]:
        (cost,) = self.cost([point])
        return {"paper": {"area_mm2": cost.metrics["area_mm2"], "writes": None}, "best": {"area_mm2": 1.0}}


def test_every_done_trial_has_its_baselines_and_they_are_written_again_from_the_log(tmp_path: Path) -> None:
    go(tmp_path, problem=Compared(), trials=5)
    go(tmp_path, problem=Compared(), trials=8)
    table = pd.read_parquet(tmp_path / "baselines.parquet")
    trials = pd.read_parquet(tmp_path / "trials.parquet")

    done = trials[trials["status"] == "done"].set_index("trial")["area_mm2"]
    assert table["baseline"].tolist() == ["paper", "best"] * len(done)
    assert table[table["baseline"] == "paper"].set_index("trial")["area_mm2"].to_dict() == done.to_dict()
    assert (table["accounting"] == 2).all()

    (tmp_path / "baselines.parquet").unlink()
    refresh(tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "baselines.parquet"), table)


def test_a_problem_without_baselines_has_no_such_table(tmp_path: Path) -> None:
    go(tmp_path, trials=3)
    assert not (tmp_path / "baselines.parquet").exists()


@pytest.mark.parametrize("wrong", [3, {"paper": 3}, {"paper": {"area_mm2": "much"}}, {"paper": {"aera_mm2": 1.0}}])
def test_a_baseline_in_a_log_that_is_none_is_damage(tmp_path: Path, wrong: Any) -> None:
    go(tmp_path, problem=Compared(), trials=3)
    log = tmp_path / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if '"baselines"' in line)
    lines[at] = json.dumps({**json.loads(lines[at]), "baselines": wrong})
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")

    with pytest.raises(dse.StudyError, match=rf"line {at + 1} of the log is damaged[\s\S]*baseline"):
        refresh(tmp_path)


def test_a_reference_other_than_the_default_is_named(tmp_path: Path) -> None:
    raw = raw_space()
    raw["reference_hardware"] = {"parameters": {"rows": 64}}
    notes = Notes()
    go(tmp_path, fake_space(raw), trials=1, observer=notes)
    (said,) = (note for note in notes.notes if "_reference" in note)
    assert said.endswith("compare with isaac with rows = 64, not with the published configuration")
    assert not fake_space().file.reference_hardware.warning
