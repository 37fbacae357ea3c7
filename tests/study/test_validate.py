"""Validation on the report split: the choice is logged first, and says whether it keeps its target."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.errors import StudyError
from dse.records.scored import ScoreResult
from dse.study.open import hold
from dse.study.provenance import Provenance
from dse.study.run import run
from dse.study.validate import Validation, choose, validate
from tests.support.fakes import REPORT_LOSS, TASKS, FakeProblem, fake_space

PROVENANCE = Provenance({"hardware.isaac": "1"}, {"base": "abc"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run(FakeProblem(), fake_space(), folder=tmp_path, provenance=PROVENANCE, trials=25)
    return tmp_path


def validated(folder: Path, problem: FakeProblem | None = None, **options: Any) -> Validation:
    options.setdefault("provenance", PROVENANCE)
    return validate(problem or FakeProblem(), fake_space(), folder=folder, **options)


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "validation.jsonl").read_text().splitlines()]


def test_the_front_is_scored_once_on_rows_no_choice_has_seen(folder: Path) -> None:
    problem = FakeProblem()
    done = validated(folder, problem)
    front = pd.read_parquet(folder / "pareto.parquet")

    assert list(done.rows["trial"]) == list(front["trial"])
    assert len(problem.scored) == len(front)
    assert done.optimism == pytest.approx(REPORT_LOSS)
    assert (done.choice, done.met) == (None, None)
    pd.testing.assert_frame_equal(pd.read_parquet(done.path), done.rows)


def test_a_study_of_edition_1_is_validated_by_its_own_log(folder: Path) -> None:
    log = folder / "log.jsonl"
    log.write_text(log.read_text(encoding="utf-8").replace('"accounting":2,', ""), encoding="utf-8")
    assert '"accounting":' not in log.read_text(encoding="utf-8")
    rows = validated(folder).rows
    front = pd.read_parquet(folder / "pareto.parquet")
    assert set(front["accounting"]) == {1}
    assert rows["area_mm2"].tolist() == front["area_mm2"].tolist()


def test_intervals_of_each_task_stand_on_both_splits(tmp_path: Path) -> None:
    def change(score: ScoreResult) -> ScoreResult:
        return replace(score, drop_low=dict.fromkeys(TASKS, 1.5), drop_high=dict.fromkeys(TASKS, 2.5))

    problem = FakeProblem(change_score=change)
    run(problem, fake_space(), folder=tmp_path, provenance=PROVENANCE, trials=10)
    table = pd.read_parquet(validated(tmp_path, problem).path)
    for split in ("search", "report"):
        for end, value in (("low", 1.5), ("high", 2.5)):
            assert {tuple(table[f"{split}.accuracy_drop_{end}.{task}"]) for task in TASKS} == {(value,) * len(table)}


def test_rule_and_choice_are_on_disk_before_the_first_score(folder: Path) -> None:
    seen: list[list[dict[str, Any]]] = []
    validated(folder, FakeProblem(score_fault=lambda _: seen.append(events(folder))), target_drop=2.0)

    assert [event["event"] for event in seen[0]] == ["chosen"]
    assert "for a drop of at most 2 points" in seen[0][0]["rule"]
    assert [event["event"] for event in events(folder)] == ["chosen", *["scored"] * len(seen)]


def test_only_the_chosen_design_is_scored_where_that_is_asked_for(folder: Path) -> None:
    problem = FakeProblem()
    done = validated(folder, problem, target_drop=2.0, chosen_only=True)

    assert list(done.rows["trial"]) == [done.choice]
    assert len(problem.scored) == 1
    assert done.rule.startswith("the design chosen")
    with pytest.raises(StudyError, match="nothing to validate") as caught:
        validated(folder, FakeProblem(), target_drop=-5.0, chosen_only=True)
    assert "none, with --target-drop -5.0" in str(caught.value)
    with pytest.raises(StudyError, match=r"found: no --target-drop"):
        validated(folder, FakeProblem(), chosen_only=True)


def test_the_chosen_design_alone_replaces_no_row_of_another_design(folder: Path) -> None:
    """The whole front comes first, then the chosen design is scored again, with another score."""
    whole = validated(folder).rows.set_index("trial")
    change = partial(replace, drop_low=dict.fromkeys(TASKS, 1.0))
    done = validated(folder, FakeProblem(change_score=change), target_drop=2.0, chosen_only=True)
    table = pd.read_parquet(done.path).set_index("trial")
    assert list(done.rows["trial"]) == [done.choice]
    assert sorted(table.index) == list(table.index) == sorted(whole.index)
    assert table["report.accuracy_drop_low.sst2"].dropna().to_dict() == {done.choice: 1.0}
    pd.testing.assert_frame_equal(table[whole.columns].loc[whole.index], whole, check_dtype=False)
    done.path.write_bytes(b"no parquet")
    with pytest.raises(StudyError, match=r"the validation is damaged[\s\S]*delete the file"):
        validated(folder, target_drop=2.0, chosen_only=True)


def row(trial: int, drop: float, arrays: float, energy: float = 1.0, writes: float = 0.0) -> dict[Any, Any]:
    ends = {"accuracy_drop_low": drop - 0.2, "accuracy_drop_high": drop + 0.2}
    return {
        "trial": trial,
        "accuracy_drop": drop,
        **ends,
        "array_area_ratio": 1 - arrays,
        "array_area_ratio_reference": arrays,
        "energy_uj": energy,
        "writes": writes,
    }


def test_the_choice_keeps_the_target_with_the_smallest_arrays_and_writes_nothing() -> None:
    front = [row(0, 0.1, 0.9), row(1, 0.75, 0.5), row(2, 0.7, 0.5, 0.5), row(3, 0.9, 0.1), row(4, 0.2, 0.2, writes=8.0)]

    assert choose(front, 1.0)[0] == 2
    assert choose(front, 1.0)[1].endswith("the one with the smallest array_area_ratio_reference and then energy_uj")
    assert choose(front, 0.01)[0] is None
    assert choose(front, None)[0] is None


def test_the_choice_may_have_the_least_energy_instead() -> None:
    front = [row(0, 0.1, 0.9, 0.3), row(1, 0.1, 0.5, 0.3), row(2, 0.1, 0.1, 0.4), row(3, 2.0, 0.1, 0.1)]

    assert choose(front, 1.0, least="energy")[0] == 1
    assert choose(front, 1.0, least="energy")[1].endswith(
        "the one with the smallest energy_uj and then array_area_ratio_reference"
    )


def test_a_target_is_met_by_drop_and_interval_on_the_report_split(folder: Path) -> None:
    front = pd.read_parquet(folder / "pareto.parquet")
    target = float(front["accuracy_drop"].median())
    generous, strict = validated(folder, target_drop=target + REPORT_LOSS + 0.1), validated(folder, target_drop=target)
    chosen = strict.rows.set_index("trial").loc[strict.choice]

    assert strict.met == (
        chosen["report.accuracy_drop"] <= target and chosen["report.accuracy_drop_high"] <= target + 0.5
    )
    assert generous.choice is not None
    assert validated(folder, target_drop=-1.0).choice is None


def test_a_folder_without_a_study_a_running_one_and_changed_conditions_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match="there is no study here"):
        validated(tmp_path / "nothing")
    with hold(folder), pytest.raises(StudyError, match="another run works on this study"):
        validated(folder)
    with pytest.raises(StudyError, match=r"under other conditions[\s\S]*plugin hardware.isaac: 1 -> 2"):
        validated(folder, provenance=Provenance({"hardware.isaac": "2"}, {"base": "abc"}))


def test_a_study_without_accuracy_has_nothing_to_validate(tmp_path: Path) -> None:
    space = fake_space(objectives=["area", "energy"])
    run(FakeProblem(), space, folder=tmp_path, provenance=PROVENANCE, trials=5)
    with pytest.raises(StudyError, match=r"nothing to validate[\s\S]*a study without accuracy"):
        validate(FakeProblem(), space, folder=tmp_path, provenance=PROVENANCE)
