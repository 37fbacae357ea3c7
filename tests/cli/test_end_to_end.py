"""The whole way from a space file to a front, with a random two-layer model and text made up here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support.tiny import write_space


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_space(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DSE_CACHE", str(tmp_path / "cache"))
    return path


def test_from_a_space_file_to_a_front_and_on(tiny: Path, dse: Any) -> None:
    checked = dse("check", tiny, "--device", "cpu", "--format", "json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["layers"] == 2
    assert "fine-tuning" not in checked.stderr

    first = dse("run", tiny, "--device", "cpu", "--trials", 2)
    assert first.exit_code == 0, first.output
    assert "fine-tuning verdict" in first.stderr

    second = dse("run", tiny, "--device", "cpu")
    assert second.exit_code == 0, second.output
    assert "fine-tuning" not in second.stderr
    trials = pd.read_parquet("results/tiny/trials.parquet")
    assert (trials["status"] == "done").sum() == 4, trials[["status", "reason"]]
    assert trials[["area_mm2", "energy_uj", "score_mean"]][trials["status"] == "done"].notna().all(axis=None)

    baselines = pd.read_parquet("results/tiny/baselines.parquet").set_index(["trial", "baseline"])
    done = trials[trials["status"] == "done"]
    assert {trial for trial, _ in baselines.index} == set(done["trial"])
    for row in done.to_dict("records"):
        for name, suffix in (("paper", ""), ("best", "_best")):
            cost = baselines.loc[(row["trial"], name)]
            assert row["area_mm2"] / cost["area_mm2"] == pytest.approx(row[f"area_ratio{suffix}"])
            assert row["throughput_rps"] / cost["throughput_rps"] == pytest.approx(row[f"throughput_ratio{suffix}"])

    front = json.loads(dse("pareto", "tiny", "--format", "json").stdout)
    assert {row["trial"] for row in front} == set(trials.loc[trials["on_front"], "trial"])
    shown = json.loads(dse("show", "tiny", front[0]["trial"], "--format", "json").stdout)
    validated = dse("validate", "tiny", "--device", "cpu", "--target-drop", 100, "--format", "json")
    assert validated.exit_code == 0, validated.output
    assert {row["trial"] for row in json.loads(validated.stdout)} == {row["trial"] for row in front}
    assert "a drop of 100 points is met by trial" in validated.stderr
    assert shown["score.verdict"] == trials.set_index("trial").loc[front[0]["trial"], "score.verdict"]

    moved = json.loads(dse("deltas", tiny, "--device", "cpu", "--format", "json").stdout)
    assert [row["task"] for row in moved] == ["verdict", "rating"]
    layers = json.loads(dse("deltas", tiny, "--device", "cpu", "--by-layer", "--format", "json").stdout)
    assert [(row["task"], row["layer"]) for row in layers[:2]] == [("verdict", "0"), ("verdict", "1")]
    assert "published for BERT-base" in dse("deltas", tiny, "--device", "cpu").stderr


def test_what_has_nothing_to_profile_is_said_before_anything_is_fine_tuned(tiny: Path, dse: Any) -> None:
    refused = dse("profile", tiny, "--device", "cpu", "--compressor", "none",
                  "--generator", "independent", "--in-process")  # fmt: skip
    assert refused.exit_code == 1
    assert "generator 'independent' and compressor 'none' have nothing to choose for each task" in refused.stderr
    assert "fine-tuning" not in refused.stderr
    assert not Path("results").exists()


def test_from_a_profile_to_a_search_that_starts_there(tiny: Path, dse: Any) -> None:
    profiled = dse("profile", tiny, "--device", "cpu", "--max-drop", 1, "--in-process")
    assert profiled.exit_code == 0, profiled.output
    assert "drop<=1" in profiled.stdout
    table = pd.read_parquet("results/tiny/profile.parquet")
    assert set(table["task"]) == {"verdict", "rating"}
    assert table[table["layer"].notna()].groupby("task").size().tolist() == [2, 2]
    proposals = pd.read_parquet("results/tiny/proposals.parquet")
    assert set(proposals["generator"]) == {"independent"}  # the compressor has a choice, so the first generator does
    assert list(proposals["proposal"]) == ["acc", "opt", "agg", "drop<=1"]

    ran = dse("run", tiny, "--device", "cpu", "--trials", 8, "--start", "results/tiny/proposals.parquet")
    assert ran.exit_code == 0, ran.output
    trials = pd.read_parquet("results/tiny/trials.parquet")
    different = len({str(row) for row in proposals.filter(like="param.").to_dict("records")})
    assert list(trials["source"][:different]) == ["profile"] * different
    assert "sampler" in set(trials["source"])
    again = dse("run", tiny, "--device", "cpu", "--trials", 9, "--start", "results/tiny/pareto.parquet")
    assert again.exit_code == 0, again.output

    learning = tiny.with_name("learning.toml")
    learning.write_text(tiny.read_text(encoding="utf-8").replace('"random"', '"graybox"'), encoding="utf-8")
    told = dse(
        "run",
        learning,
        "--device",
        "cpu",
        "--trials",
        5,
        "--start",
        "results/tiny/proposals.parquet",
        "--results",
        "told",
    )
    assert told.exit_code == 0, told.output
    header = json.loads(Path("told/tiny/log.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert len(header["profiled"]) == table["setting"].nunique()
    table.drop(columns="score").to_parquet("results/tiny/profile.parquet")
    refused = dse("run", learning, "--start", "results/tiny/proposals.parquet", "--results", "other")
    assert refused.exit_code == 1
    assert "the profile cannot be used in this study" in refused.stderr
    assert "profile the space again" in refused.stderr

    missing = dse("run", tiny, "--start", "nowhere.parquet")
    assert missing.exit_code == 1
    assert "there are no designs to start from" in missing.stderr
    energy = dse("profile", tiny, "--device", "cpu", "--generator", "independent", "--least", "energy", "--in-process")
    assert energy.exit_code == 0, energy.output
    saving = pd.read_parquet("results/tiny/proposals.parquet")
    assert list(saving["proposal"]) == ["acc", "opt", "agg"]
    depth = dse("profile", tiny, "--device", "cpu", "--compressor", "none", "--in-process")
    assert depth.exit_code == 0, depth.output
    assert set(pd.read_parquet("results/tiny/proposals.parquet")["generator"]) == {"shared-prefix"}
    unknown = dse("profile", tiny, "--device", "cpu", "--compressor", "two-stag", "--in-process")
    assert "did you mean 'two-stage'?" in unknown.stderr


def test_a_study_on_arrays_that_are_not_ideal_is_stopped_and_continued(tiny: Path, dse: Any) -> None:
    text = tiny.read_text(encoding="utf-8")
    tiny.write_text(
        text + '[hardware.isaac.options]\ncell_model = "lognormal"\ncell_options = { stuck_off = 0.01 }\ndraws = 2\n'
    )
    for total in (1, 3):
        ran = dse("run", tiny, "--device", "cpu", "--trials", total)
        assert ran.exit_code == 0, ran.output
    trials = pd.read_parquet("results/tiny/trials.parquet")
    assert (trials["status"] == "done").all(), trials[["status", "reason"]]
    assert (trials["draws"] == 2).all()
    assert trials[["accuracy_drop_spread", "score_spread.verdict", "score_spread.rating"]].notna().all(axis=None)
    assert trials["adc_rows"].isna().all()
    rows = trials.drop(columns=["duration_s", "evaluated_tasks", "versions"]).to_dict("records")

    again = dse("run", tiny, "--device", "cpu", "--trials", 3, "--results", "again")
    assert again.exit_code == 0, again.output
    repeated = pd.read_parquet("again/tiny/trials.parquet")
    assert (repeated["evaluated_tasks"] == 0).all()
    assert str(repeated.drop(columns=["duration_s", "evaluated_tasks", "versions"]).to_dict("records")) == str(rows)

    exported = dse("export", "tiny", 0, "chip", "--device", "cpu")
    assert exported.exit_code == 1
    assert "trial 0 was scored on draws of arrays that are not ideal" in exported.stderr
    assert not Path("chip").exists()

    noise = "[hardware.isaac.options]\ncell_model = 'lognormal'\ncell_options = { sigma = -1 }\n"
    tiny.write_text(text + noise)
    refused = dse("check", tiny, "--device", "cpu")
    assert refused.exit_code == 1
    assert "option 'sigma' of cell_model 'lognormal' is not usable" in refused.stderr
