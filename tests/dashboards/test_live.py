"""A study's log as the dashboard's study, while it grows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dse.dashboards.live import Live
from dse.errors import StudyError
from dse.samplers.encoding import Codec
from dse.study.provenance import Provenance
from dse.study.run import run
from tests.support.fakes import FakeProblem, fake_space

EXAMPLE = Path(__file__).resolve().parents[2] / "results" / "example"
PROVENANCE = Provenance({"hardware.isaac": "1 (dse-reram 0.1.0)"}, {"base": "abc"})


def go(folder: Path, trials: int, *, force: bool = False, **search: Any) -> Path:
    """Run or continue a study of the fast problem, some designs of which are too large."""
    space = fake_space(trials=trials, **search)
    run(FakeProblem(limit=35.0), space, folder=folder, provenance=PROVENANCE, force=force)
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [event["row"] for event in events if event["event"] == "done"]


def trials(live: Live) -> list[Any]:
    (study,) = live.storage.get_all_studies()
    found: list[Any] = live.storage.get_all_trials(study._study_id)
    return found


def test_it_shows_what_the_log_holds_and_follows_it(tmp_path: Path) -> None:
    live = Live(go(tmp_path / "study", 15))
    (study,) = live.storage.get_all_studies()
    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MINIMIZE", "MAXIMIZE"]
    assert study.system_attrs["study:metric_names"] == ["area_mm2", "energy_uj", "score_mean"]
    assert study.user_attrs["reference_point"]["energy_ratio_reference"] == 1.25
    assert live.refresh() == len(trials(live)) == 15
    go(tmp_path / "study", 30)
    found = rows(tmp_path / "study")
    assert live.refresh() == len(trials(live)) == len(found) >= 30
    assert {row["status"] for row in found} == {"done", "infeasible", "duplicate"}
    for trial, row in zip(trials(live), found, strict=True):
        if row["status"] == "done":
            assert trial.state.name == "COMPLETE"
            assert trial.values == [row["area_mm2"], row["energy_uj"], row["score_mean"]]
        elif row["status"] == "infeasible":  # the dashboard would call it one of the best
            assert (trial.state.name, trial.values) == ("PRUNED", None)
            assert max(trial.constraints.values()) > 0
        assert trial.user_attrs.get("energy.adc") == row.get("energy.adc")
        assert trial.user_attrs["status"] == row["status"]
        assert not [name for name in trial.user_attrs if name.startswith("param.")]


def test_parameters_are_those_of_the_chosen_plugins_in_their_whole_ranges(tmp_path: Path) -> None:
    space = fake_space(trials=30)
    whole = Codec(space).distributions()
    live = Live(go(tmp_path / "study", 30))
    seen = set()
    for trial, row in zip(trials(live), rows(tmp_path / "study"), strict=True):
        for name, domain in trial.distributions.items():
            assert domain == whole[name]
            kind, _, rest = name.partition(".")
            assert not rest or rest.startswith(row[kind] + ".")
        chosen = {name.split("[")[0].split("#")[0] for name in trial.params if "." in name}
        held = {
            name.removeprefix("param.")
            for name, value in row.items()
            if name.startswith("param.") and value is not None
        }
        assert held - chosen <= {"compressor.none.unused", "hardware.isaac.rows"}  # fixed, so nothing was chosen
        assert chosen <= held
        seen |= set(trial.params)
    assert seen == set(whole)


def test_a_space_of_other_entries_for_tasks_and_layers(tmp_path: Path) -> None:
    from dse.dashboards.domains import Domains
    from dse.space.write import resolved_text
    from tests.support.fakes import put, raw_space

    raw = raw_space()
    put(
        raw, "generator/shared-prefix/parameters/depth", {"low": 0, "high": 2, "tasks": {"sst2": {"high": 1, "low": 0}}}
    )
    put(raw, "compressor/two-stage/parameters/drop", {"low": 0, "high": 8, "layers": {"1": {"low": 0, "high": 4}}})
    mask = {"low": 0, "high": 1, "tasks": {"trec6": {"low": 0, "high": 1, "layers": {"2": 1}}}}
    put(raw, "compressor/two-stage/parameters/mask", mask)
    space = fake_space(raw)
    (tmp_path / "space.toml").write_text(resolved_text(space), encoding="utf-8")
    domains, codec = Domains(tmp_path / "space.toml"), Codec(space)
    found: dict[str, Any] = {}
    for seed in range(20):
        found |= domains.of(codec.encode(codec.random_point(seed)))[1]
    assert found == codec.distributions()


def test_trials_of_another_space_keep_their_parameters_as_words(tmp_path: Path) -> None:
    folder = go(tmp_path / "study", 5)
    live = Live(folder)
    log = folder / "log.jsonl"
    log.write_text(
        log.read_text(encoding="utf-8").replace('"compressor.two-stage.cosine":0.', '"compressor.two-stage.gone":0.'),
        encoding="utf-8",
    )
    found = trials(Live(folder))
    strange = [trial for trial in found if "outside the space" in trial.user_attrs]
    assert strange
    assert all(trial.params == {} and "compressor.two-stage.gone" in trial.user_attrs["params"] for trial in strange)
    assert [trial.values for trial in found] == [trial.values for trial in trials(live)]


def test_a_study_begun_anew_in_the_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    live = Live(go(tmp_path / "study", 5))
    go(tmp_path / "study", 8, force=True, objectives=["area", "accuracy"])
    assert live.refresh() == 8
    (study,) = live.storage.get_all_studies()
    assert len(study.directions) == 2
    assert all(trial.values is None or len(trial.values) == 2 for trial in trials(live))


def test_duplicates_stand_for_their_design(tmp_path: Path) -> None:
    from tests.support.fakes import small_raw

    folder = tmp_path / "study"
    run(FakeProblem(), fake_space(small_raw(trials=12)), folder=folder, provenance=PROVENANCE)
    found, shown = rows(folder), trials(Live(folder))
    copies = [row for row in found if row["status"] == "duplicate"]
    assert copies
    for row in copies:
        assert shown[row["trial"]].values == shown[row["duplicate_of"]].values


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no log to show") as caught:
        Live(EXAMPLE)
    assert "dse report" in str(caught.value)
    with pytest.raises(StudyError, match="there is no study here"):
        Live(tmp_path / "nowhere")
    folder = go(tmp_path / "study", 2)
    log = folder / "log.jsonl"
    whole = log.read_text(encoding="utf-8")
    log.write_text(re.sub('"time":"[^"]*"', '"time":"noon"', whole), encoding="utf-8")
    with pytest.raises(StudyError, match="the log is damaged") as caught:
        Live(folder)
    assert "found: noon" in str(caught.value)
    log.write_text(whole, encoding="utf-8")
    (folder / "space.toml").write_text("[", encoding="utf-8")
    with pytest.raises(StudyError, match="space file cannot be read"):
        Live(folder)
    (folder / "log.jsonl").write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(StudyError, match="line 1 of the log is damaged"):
        Live(folder)
