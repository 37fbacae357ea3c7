"""Running and continuing studies."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dse.errors import SpaceError, StudyError
from dse.records.design import DesignPoint
from dse.results.points import point_of
from dse.results.read import read_trials
from dse.samplers.encoding import Codec
from dse.study.provenance import Provenance, own_version
from dse.study.tables import refresh
from tests.support.fakes import FakeProblem, fake_space, raw_space, small_raw
from tests.support.studies import Notes, go, rows


@pytest.mark.parametrize(
    ("sampler", "options"),
    [
        ("random", {}),
        ("tpe", {"n_startup_trials": 5}),
        ("nsga2", {"population_size": 6}),
        ("nsga3", {"population_size": 6}),
        ("qmc", {}),
    ],
)
def test_fifteen_and_fifteen_resumed_are_thirty(tmp_path: Path, sampler: str, options: dict[str, Any]) -> None:
    space = fake_space(sampler=sampler, sampler_options=options, trials=30, constraints={"latency_us": {"min": 70.0}})
    go(tmp_path / "whole", space)
    for total in (15, 22, 30):
        go(tmp_path / "parts", space, trials=total)

    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    assert {row["status"] for row in rows(tmp_path / "whole")} >= {"done", "infeasible"}


def test_samplers_seeds_differ_by_trial_and_by_study(tmp_path: Path) -> None:
    go(tmp_path / "a", fake_space(seed=1))
    go(tmp_path / "b", fake_space(seed=2))

    assert len({row["seed"] for row in rows(tmp_path / "a")}) == len(rows(tmp_path / "a"))
    assert rows(tmp_path / "a") != rows(tmp_path / "b")


def test_a_budget_is_a_total_and_a_finished_study_stays_as_it_is(tmp_path: Path) -> None:
    problem = FakeProblem()
    first = go(tmp_path, trials=12, problem=problem)
    before = rows(tmp_path)
    again = go(tmp_path, trials=12, problem=problem)

    assert first.progress.evaluated == 12
    assert again.progress.evaluated == again.progress.restored == 12
    assert again.reason == "the budget of 12 trials is spent"
    assert rows(tmp_path) == before
    assert problem.prepared == 1


def test_infeasible_points_are_not_scored_and_never_on_the_front(tmp_path: Path) -> None:
    problem = FakeProblem(limit=30.0)
    go(tmp_path, fake_space(trials=40), problem)
    found = rows(tmp_path)
    infeasible = [row for row in found if row["status"] == "infeasible"]

    assert infeasible
    for row in infeasible:
        assert row["stage"] == "cost"
        assert row["reason"].endswith("mm2 is above the reticle's 30")
        assert row["violation"] == pytest.approx(row["area_mm2"] - 30)
        assert row["score_mean"] is None
        assert not row["on_front"]
    assert len(problem.scored) == sum(row["status"] == "done" for row in found)
    assert any(row["on_front"] for row in found)


def test_a_constraint_on_the_cost_rejects_before_the_score_and_one_on_the_score_after(tmp_path: Path) -> None:
    constraints = {"latency_us": {"max": 90.0}, "accuracy_drop": {"max": 10.0}, "score.sst2": {"min": 0.1}}
    go(tmp_path, fake_space(trials=60, constraints=constraints))
    found = [row for row in rows(tmp_path) if row["status"] != "duplicate"]

    for row in found:
        slow = row["latency_us"] > 90
        assert row["stage"] == ("cost" if slow else "score")
        bad = slow or row["accuracy_drop"] > 10 or row["score.sst2"] < 0.1
        assert row["status"] == ("infeasible" if bad else "done")
    reasons = " ".join(row["reason"] or "" for row in found)
    assert "latency_us = " in reasons
    assert "is above 90" in reasons
    assert "accuracy_drop = " in reasons
    slow_row = next(row for row in found if row["latency_us"] > 90)
    assert slow_row["violation"] == pytest.approx(slow_row["latency_us"] / 90 - 1)


def test_an_infeasible_trial_is_told_as_complete_with_its_constraint(tmp_path: Path) -> None:
    go(tmp_path, fake_space(trials=30), FakeProblem(limit=30.0))
    events = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    infeasible = [item for item in events if item["event"] == "done" and item["row"]["status"] == "infeasible"]

    assert all(item["constraints"]["hardware"] > 0 for item in infeasible)
    assert all(item["values"][2] == 0.0 and item["values"][0] == item["row"]["area_mm2"] for item in infeasible)


def test_scores_are_not_measured_where_nothing_needs_them(tmp_path: Path) -> None:
    problem = FakeProblem()
    go(tmp_path, fake_space(objectives=["area", "energy"], constraints={"lifetime_years": {"min": 5.0}}), problem)

    assert problem.scored == []
    assert {row["stage"] for row in rows(tmp_path) if row["status"] == "done"} == {"cost"}


def test_duplicates_are_recorded_spend_no_budget_and_are_not_evaluated(tmp_path: Path) -> None:
    problem = FakeProblem()
    observer = Notes()
    done = go(tmp_path, fake_space(small_raw(trials=12, sampler="random")), problem, observer=observer)
    found = rows(tmp_path)
    duplicates = [row for row in found if row["status"] == "duplicate"]

    assert done.progress.evaluated == 12 == len(problem.costed)
    assert duplicates
    for row in duplicates:
        first = found[row["duplicate_of"]]
        assert first["trial"] < row["trial"]
        assert all(first[name] == row[name] for name in found[0] if name.startswith("param."))
        assert row["reason"] == f"same design as trial {first['trial']}"
        assert row["area_mm2"] is None


def test_a_small_space_is_evaluated_whole_and_then_the_study_stops(tmp_path: Path) -> None:
    observer = Notes()
    done = go(tmp_path, fake_space(small_raw(trials=100, sampler="nsga2")), observer=observer)
    found = rows(tmp_path)
    designs = {(row["param.hardware.isaac.adc_bits"], row["param.hardware.isaac.rows"]) for row in found}

    assert done.reason == "every one of the 15 designs of the space has been evaluated"
    assert len(designs) == done.progress.evaluated == 15


def test_a_sampler_that_only_repeats_itself_gives_way_visibly_to_random_points(tmp_path: Path) -> None:
    raw = small_raw(trials=15, sampler="nsga2", sampler_options={"population_size": 2, "mutation_prob": 0.0})
    observer = Notes()
    go(tmp_path, fake_space(raw), observer=observer)
    found = rows(tmp_path)
    random_rows = [row for row in found if row["source"] == "random"]

    assert random_rows
    assert all(row["status"] != "duplicate" for row in random_rows)
    assert len(observer.notes) == len(random_rows)
    assert "50 known designs in a row" in observer.notes[0]
    before = found[random_rows[0]["trial"] - 50 : random_rows[0]["trial"]]
    assert {row["status"] for row in before} == {"duplicate"}


@pytest.mark.parametrize("sampler", ["grid", "brute-force"])
def test_exhaustive_samplers_cover_the_space(tmp_path: Path, sampler: str) -> None:
    go(tmp_path / "whole", fake_space(small_raw(trials=15, sampler=sampler)))
    go(tmp_path / "parts", fake_space(small_raw(trials=15, sampler=sampler)), trials=7)
    go(tmp_path / "parts", fake_space(small_raw(trials=15, sampler=sampler)))

    for folder in ("whole", "parts"):
        assert len(rows(tmp_path / folder)) == 15
        assert {row["status"] for row in rows(tmp_path / folder)} == {"done"}


@pytest.mark.skipif(importlib.util.find_spec("cmaes") is None, reason="cmaes is not installed")
def test_one_objective_and_cma_es(tmp_path: Path) -> None:
    done = go(tmp_path, fake_space(sampler="cmaes", objectives=["energy"], trials=15))

    assert done.progress.evaluated == 15


def test_an_interrupted_study_writes_its_results_and_continues(tmp_path: Path) -> None:
    calls = 0

    def interrupt(_point: DesignPoint) -> None:
        nonlocal calls
        calls += 1
        if calls == 7:
            raise KeyboardInterrupt

    stopped = go(tmp_path / "a", problem=FakeProblem(score_fault=interrupt))
    assert stopped.interrupted
    assert len(rows(tmp_path / "a")) == stopped.progress.evaluated + stopped.progress.duplicates

    go(tmp_path / "a")
    go(tmp_path / "b")
    assert rows(tmp_path / "a") == rows(tmp_path / "b")


def test_enqueued_points_come_first_once(tmp_path: Path) -> None:
    space = fake_space(trials=6)
    points = [Codec(space).random_point(seed) for seed in (1, 2)]
    go(tmp_path, space, enqueue=[*points, points[0]], trials=4)
    go(tmp_path, space, enqueue=points)
    found = rows(tmp_path)

    assert [row["source"] for row in found] == ["enqueued"] * 2 + ["sampler"] * 4
    assert found[0]["generator"] == points[0].generator


def test_an_enqueued_point_outside_the_space_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    point = replace(Codec(fake_space()).random_point(1), hardware="neurosim")
    with pytest.raises(SpaceError, match="outside the space"):
        go(tmp_path / "a", enqueue=[point])
    assert not (tmp_path / "a").exists()


def test_changed_conditions_refuse_to_continue_unless_forced(tmp_path: Path) -> None:
    go(tmp_path, trials=5)
    other = Provenance({"hardware.isaac": "2 (dse-reram 0.1.0)"}, {"base": "abc"})
    with pytest.raises(StudyError) as caught:
        go(tmp_path, trials=8, provenance=other)
    assert "plugin hardware.isaac: 1 (dse-reram 0.1.0) -> 2 (dse-reram 0.1.0)" in str(caught.value)
    with pytest.raises(StudyError, match="data base: abc -> xyz"):
        go(tmp_path, trials=8, provenance=Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "xyz"}))
    with pytest.raises(StudyError, match="space or search settings"):
        go(tmp_path, fake_space(seed=9), trials=8)

    observer = Notes()
    done = go(tmp_path, trials=8, provenance=other, force=True, observer=observer)
    assert done.progress.evaluated == 8
    assert "continued although this changed: plugin hardware.isaac" in observer.notes[0]
    assert [json.loads(row["versions"])["hardware.isaac"][0] for row in rows(tmp_path)] == ["1"] * 5 + ["2"] * 3


def of_another_release(log: Path, monkeypatch: pytest.MonkeyPatch, *, accounting: int | None) -> Provenance:
    """Let a log look as release 0.1.0 wrote it, whatever release runs the test as 9.0; return provenance of the latter."""
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    for event in events:
        if event["event"] in ("header", "resumed"):
            del event["accounting"]
            event["versions"]["dse"] = "0.1.0"
            event["plugins"] = {"hardware.isaac": "1 (dse-reram 0.1.0)"}
            if accounting is not None:
                event["accounting"] = accounting
    log.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    monkeypatch.setattr("dse.study.open.versions", lambda: {"dse": "9.0"})
    return Provenance({"hardware.isaac": "1 (dse-reram 9.0)"}, {"base": "abc"})


def test_a_study_of_another_release_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go(tmp_path, trials=5)
    now = of_another_release(tmp_path / "log.jsonl", monkeypatch, accounting=2)
    observer = Notes()
    assert go(tmp_path, trials=8, provenance=now, observer=observer).progress.evaluated == 8
    assert observer.notes == []
    found = json.loads((tmp_path / "provenance.json").read_text())["sessions"]
    assert [session["versions"]["dse"] for session in found] == ["0.1.0", "9.0"]
    assert [session["accounting"] for session in found] == [2, 2]


@pytest.mark.parametrize("named", [None, 1, 3])
@pytest.mark.parametrize("force", [False, True])
def test_a_study_of_another_edition_does_not_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: int | None, force: bool
) -> None:
    """Logs of 0.1.0 name no edition, which means the first; its tables say so when they are written again."""
    go(tmp_path, trials=5)
    now = of_another_release(tmp_path / "log.jsonl", monkeypatch, accounting=named)
    before = (tmp_path / "log.jsonl").read_bytes()
    with pytest.raises(StudyError, match=rf"edition 2\n  found: edition {named or 1}\n[\s\S]*dse run SPACE --start"):
        go(tmp_path, trials=8, provenance=now, force=force)
    assert (tmp_path / "log.jsonl").read_bytes() == before
    trials, _ = refresh(tmp_path)
    assert read_trials(trials)["accounting"].tolist() == [named or 1] * 5


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("1 (dse-reram 0.1.0)", "1 (dse-reram 0.2.0.dev1+g12)", True),
        ("1 (dse-reram 0.1.0)", "2 (dse-reram 0.1.0)", False),
        ("1 (dse-reram 0.1.0)", "1 (another 0.1.0)", False),
        ("1 (mine.py 0123456789abcdef)", "1 (mine.py 0123456789abcdef)", True),
        ("1 (mine.py 0123456789abcdef)", "1 (mine.py fedcba9876543210)", False),
        ("1 (dse-reram 0.1.0)", "1 (mine.py 0123456789abcdef)", False),
    ],
)
def test_what_counts_of_a_plugin(old: str, new: str, same: int) -> None:
    assert (own_version(old) == own_version(new)) == same


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_a_forced_study_continues_in_another_space(tmp_path: Path, sampler: str) -> None:
    wide = raw_space(sampler=sampler, trials=20)
    go(tmp_path, fake_space(wide))
    narrow = raw_space(sampler=sampler, trials=30)
    narrow["compressor"]["two-stage"] = {"parameters": {"mode": {"choices": ["a", "c"]}}}
    done = go(tmp_path, fake_space(narrow), force=True)

    assert done.progress.evaluated == 30
    assert [row["trial"] for row in rows(tmp_path)] == list(range(len(rows(tmp_path))))


def test_results_can_be_derived_from_the_log_at_any_time(tmp_path: Path) -> None:
    go(tmp_path, trials=9)
    before = rows(tmp_path)
    (tmp_path / "trials.parquet").unlink()
    (tmp_path / "pareto.parquet").unlink()
    trials, pareto = refresh(tmp_path)

    assert trials.is_file()
    assert pareto.is_file()
    assert rows(tmp_path) == before
    with pytest.raises(StudyError, match="there is no study here"):
        refresh(tmp_path / "nothing")


def test_the_observer_sees_every_trial_and_a_front_that_matches_the_file(tmp_path: Path) -> None:
    observer = Notes()
    done = go(tmp_path, fake_space(trials=40), observer=observer)
    front = pq.read_table(tmp_path / "pareto.parquet").to_pylist()
    found = [row for row in rows(tmp_path) if row["status"] == "done"]

    assert done.progress.front == len(front)
    assert done.progress.best["area_mm2"] == min(row["area_mm2"] for row in found)
    assert done.progress.best["score_mean"] == max(row["score_mean"] for row in found)
    assert done.progress.measured == 2 * len(found)
    assert done.progress.cached == len(found)
    assert observer.reasons == ["the budget of 40 trials is spent"]


def test_provenance_names_versions_plugins_hashes_seed_and_machine(tmp_path: Path) -> None:
    go(tmp_path, trials=3)
    go(tmp_path, trials=4)
    found = json.loads((tmp_path / "provenance.json").read_text())

    assert [session["at_trial"] for session in found["sessions"]] == [0, 3]
    for session in found["sessions"]:
        assert session["plugins"] == {"hardware.isaac": "1 (dse-reram 0.1.0)"}
        assert session["digests"] == {"base": "abc"}
        assert session["seed"] == 3
        assert {"dse", "python", "optuna"} <= set(session["versions"])
        assert session["machine"]["cores"] >= 1


class Weighed(FakeProblem):
    """A problem that knows the hash of its weights once it is prepared."""

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.weights = weights

    @property
    def digests(self) -> dict[str, str]:
        return {"base": "abc", **({"weights.sst2": self.weights, "baseline.best": "4 bits"} if self.prepared else {})}


def test_content_that_preparing_brings_to_light_is_recorded_and_must_stay(tmp_path: Path) -> None:
    go(tmp_path, trials=5, problem=Weighed("one"))
    go(tmp_path, trials=6, problem=Weighed("one"))
    before = (tmp_path / "log.jsonl").read_text()
    (first, second) = json.loads((tmp_path / "provenance.json").read_text())["sessions"]
    assert first["digests"] == second["digests"] == {"base": "abc", "weights.sst2": "one", "baseline.best": "4 bits"}
    with pytest.raises(StudyError, match=r"other conditions[\s\S]*found: data weights.sst2: one -> two"):
        go(tmp_path, trials=8, problem=Weighed("two"))
    assert before in (tmp_path / "log.jsonl").read_text()
    with pytest.raises(StudyError, match=r"data weights.sst2: one -> two"):
        go(tmp_path, trials=8, problem=Weighed("two"))


@pytest.mark.parametrize("change", ["weights", "checkpoint"])
def test_rows_of_before_a_forced_change_are_stale_and_leave_the_front(tmp_path: Path, change: str) -> None:
    provenance = Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "abc"})
    go(tmp_path, trials=5, problem=Weighed("one"))
    old = rows(tmp_path)
    if change == "checkpoint":
        provenance = replace(provenance, digests={"base": "def"})
    problem, observer = Weighed("two" if change == "weights" else "one"), Notes()
    go(tmp_path, trials=9, problem=problem, provenance=provenance, observer=observer, force=True)
    new = rows(tmp_path)
    assert any("continued although this changed: data" in note for note in observer.notes)
    assert {row["status"] for row in new[: len(old)]} == {"stale"}
    assert [row["area_mm2"] for row in new[: len(old)]] == [row["area_mm2"] for row in old]
    assert not any(row["on_front"] for row in new[: len(old)])
    assert any(row["on_front"] for row in new)
    assert {row["trial"] for row in pq.read_table(tmp_path / "pareto.parquet").to_pylist()} <= {
        row["trial"] for row in new[len(old) :]
    }


@pytest.mark.parametrize("change", ["weights", "checkpoint"])
def test_a_design_with_a_stale_row_is_evaluated_again(tmp_path: Path, change: str) -> None:
    space = fake_space(small_raw(trials=4))
    changed: dict[str, Any] = {"problem": Weighed("two")}
    if change == "checkpoint":
        changed = {"provenance": Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "def"})}
    go(tmp_path, space, problem=Weighed("one"))
    old = rows(tmp_path)
    points = [point_of(row) for row in old if row["status"] == "done"]
    go(tmp_path, space, trials=4 + len(points), force=True, enqueue=points, **changed)
    again = [row for row in rows(tmp_path)[len(old) :] if row["source"] == "enqueued"]
    assert [(row["status"], point_of(row)) for row in again] == [("done", point) for point in points]


def test_threads_and_builds_of_torch_that_differ_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    go(tmp_path, trials=3)
    observer = Notes()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    go(tmp_path, trials=4, observer=observer)
    assert observer.notes == ["threads: 1 -> 2, so the last digits of scores may differ"]


def test_a_session_of_before_tokenizers_were_recorded_continues(tmp_path: Path) -> None:
    go(tmp_path, trials=3)
    now = Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "abc", "tokenizer": "def"})
    go(tmp_path, trials=4, provenance=now)
    with pytest.raises(StudyError, match=r"found: data tokenizer: def -> other"):
        go(tmp_path, trials=5, provenance=replace(now, digests={"base": "abc", "tokenizer": "other"}))


def test_a_commit_of_the_hub_is_recorded_and_does_not_stop_a_study_with_the_same_content(tmp_path: Path) -> None:
    for commit, trials in (("old", 2), ("new", 3)):
        digests = {"base": "abc", "revision.base": commit}
        go(tmp_path, fake_space(), trials=trials, provenance=Provenance({}, digests))
    sessions = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))["sessions"]
    assert [event["digests"]["revision.base"] for event in sessions] == ["old", "new"]
    with pytest.raises(StudyError, match="under other conditions"):
        go(tmp_path, fake_space(), trials=4, provenance=Provenance({}, {"base": "other", "revision.base": "new"}))


def test_rows_that_are_read_in_another_way_are_refused_with_the_key_that_restores_them(tmp_path: Path) -> None:
    plugins = {"hardware.isaac": "1 (dse-reram 0.1.0)"}
    old = {"base": "abc", "data.sst2": "rows by words"}
    go(tmp_path, trials=3, provenance=Provenance(plugins, old))
    with pytest.raises(StudyError, match=r'found: data data.sst2: rows by words -> rows[\s\S]*same_text = "words"'):
        go(tmp_path, trials=4, provenance=Provenance(plugins, old | {"data.sst2": "rows"}))
    with pytest.raises(StudyError, match=r"found: data base: abc -> def\n") as caught:
        go(tmp_path, trials=4, provenance=Provenance(plugins, old | {"base": "def"}))
    assert "same_text" not in str(caught.value)
