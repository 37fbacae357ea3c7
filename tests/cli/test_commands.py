from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.commands.check import check
from dse.commands.pareto import pareto
from dse.commands.run import run
from dse.commands.show import show
from dse.errors import SpaceError

BITS = "hardware.isaac.adc_bits"


def test_run_prints_the_front_on_stdout_and_all_else_on_stderr(problem: Any, space: Path, dse: Any) -> None:
    result = dse("run", space)
    assert result.exit_code == 0, result.output
    header, _, *rows = result.stdout.splitlines()
    assert header.split()[:2] == ["trial", "generator"]
    assert len(rows) == 6  # every design is on this front: what costs more scores better
    assert "6 trials; 16 different designs" in result.stderr
    assert "fine-tuning trec6: 50%" in result.stderr
    assert "trial 6 of 6 · front 6" in result.stderr
    assert "front: results/small/pareto.parquet" in result.stderr
    assert problem.built_with["device"] == "auto"


def test_quiet_leaves_stderr_empty(problem: Any, space: Path, dse: Any) -> None:
    result = dse("run", space, "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert problem.built_with


def test_json_is_a_list_of_rows_with_every_metric(problem: Any, space: Path, dse: Any) -> None:
    del problem
    result = dse("run", space, "--format", "json", "--quiet")
    rows = json.loads(result.stdout)
    assert len(rows) == 6
    assert rows[0]["area_mm2"] == min(row["area_mm2"] for row in rows)
    assert "lifetime_years" not in rows[0]  # measured for none
    assert {"offchip_mb", "writes", "accuracy_drop_worst"} <= set(rows[0])


def test_csv_reads_back_as_the_parquet_file(problem: Any, space: Path, dse: Any) -> None:
    del problem
    result = dse("run", space, "--format", "csv", "--quiet")
    read = pd.read_csv(io.StringIO(result.stdout))
    kept = pd.read_parquet("results/small/pareto.parquet").sort_values("area_mm2")
    assert read["trial"].tolist() == kept["trial"].tolist()
    assert read["energy_uj"].tolist() == kept["energy_uj"].tolist()


def test_options_reach_the_study(problem: Any, space: Path, dse: Any, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "import dse\n@dse.hookimpl\ndef dse_schedulers():\n"
        "    yield dse.Scheduler(name='mine', summary='mine', build=lambda options: None)\n",
        encoding="utf-8",
    )
    options = ["--results", tmp_path / "out", "--trials", 2, "--seed", 11, "--device", "cpu", "--cache", tmp_path / "c"]
    result = dse("run", space, *options, "--plugin", plugin)
    assert result.exit_code == 0, result.output
    assert len(pd.read_parquet(tmp_path / "out/small/trials.parquet")) == 2
    built = problem.built_with
    assert (built["device"], built["cache"]) == ("cpu", tmp_path / "c")
    assert built["space"].search.seed == 11
    assert "mine" in built["registry"].records("scheduler")


def test_the_cache_follows_the_environment(
    problem: Any, space: Path, dse: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DSE_CACHE", str(tmp_path / "elsewhere"))
    assert dse("check", space).exit_code == 0
    assert problem.built_with["cache"] == tmp_path / "elsewhere"


def test_trials_is_a_total_and_a_second_run_continues(problem: Any, space: Path, dse: Any) -> None:
    del problem
    dse("run", space, "--trials", 2)
    result = dse("run", space, "--trials", 5)
    assert "5 trials, 2 of them done earlier" in result.stderr
    done = pd.read_parquet("results/small/trials.parquet")
    assert (done["status"] == "done").sum() == 5


def test_ctrl_c_says_that_the_study_can_be_continued(problem: Any, space: Path, dse: Any) -> None:
    left = iter([None, None])

    def stop_at_the_third(_point: object) -> None:
        try:
            next(left)
        except StopIteration:
            raise KeyboardInterrupt from None

    problem.score_fault = stop_at_the_third
    result = dse("run", space)
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "interrupted after 2 of 6 trials, all of them kept in results/small" in result.stderr
    assert "run the same command again to continue" in result.stderr
    problem.score_fault = lambda _point: None
    assert dse("run", space).exit_code == 0
    assert (pd.read_parquet("results/small/trials.parquet")["status"] == "done").sum() == 6


def test_a_changed_space_needs_force(problem: Any, space: Path, dse: Any) -> None:
    del problem
    dse("run", space, "--trials", 2)
    refused = dse("run", space, "--trials", 3, "--seed", 5)
    assert refused.exit_code == 1
    assert "begun under other conditions" in refused.stderr
    assert dse("run", space, "--trials", 3, "--seed", 5, "--force").exit_code == 0


def test_a_search_of_which_every_trial_failed_does_not_end_well(problem: Any, space: Path, dse: Any) -> None:
    def fail(_point: object) -> None:
        raise RuntimeError("no luck")

    problem.score_fault = fail
    result = dse("run", space, "--trials", 2)
    assert result.exit_code == 1
    assert "error: every trial failed; `dse show results/small 0` says why" in result.stderr
    assert "--retry-failed" in result.stderr
    problem.score_fault = lambda _point: None
    assert dse("run", space, "--trials", 4, "--retry-failed").exit_code == 0


def test_failed_trials_are_told_and_can_be_tried_again(problem: Any, space: Path, dse: Any) -> None:
    faults = iter([RuntimeError("no luck")])

    def fail_once(_point: object) -> None:
        for fault in faults:
            raise fault

    problem.score_fault = fail_once
    text = space.read_text(encoding="utf-8").replace("trials = 6", "trials = 6\nmax_failed_share = 0.9")
    space.write_text(text, encoding="utf-8")
    result = dse("run", space)
    assert "trial 0 failed: RuntimeError: no luck" in result.stderr
    again = dse("run", space, "--retry-failed", "--trials", 7)
    assert again.exit_code == 0, again.output
    statuses = pd.read_parquet("results/small/trials.parquet")["status"].tolist()
    assert statuses.count("failed") == 1
    assert statuses.count("done") == 6


def test_check_prints_size_parameters_and_one_cost(problem: Any, space: Path, dse: Any) -> None:
    result = dse("check", space)
    assert result.exit_code == 0, result.output
    assert "designs     16" in result.stdout
    assert "tasks       trec6, tweet_sent (2 layers each)" in result.stdout
    assert "hardware    isaac" in result.stdout
    assert "area_mm2 14, energy_uj 4, latency_us 5" in result.stdout  # 8 bits: 10 + 4 mm2, 2 + 2 uJ
    line = next(line for line in result.stdout.splitlines() if BITS in line)
    assert line.split() == [BITS, "1", "to", "16", "1", "bit", "ADC", "resolution"]
    assert not Path("results").exists()
    assert problem.built_with["registry"].records("hardware")


def test_check_says_which_limits_the_default_design_breaks(problem: Any, space: Path, dse: Any) -> None:
    problem.change = lambda cost: replace(cost, violations=("adc_bits: 8 is too many",), violation=1.0)
    assert "limits      that design breaks: adc_bits: 8 is too many" in dse("check", space).stdout


def test_check_as_json_and_csv(problem: Any, space: Path, dse: Any) -> None:
    del problem
    report = json.loads(dse("check", space, "--format", "json", "--quiet").stdout)
    assert report["size"] == 16
    assert report["cost"]["area_mm2"] == 14
    assert report["plugins"]["compressor"] == ["none"]
    (row,) = csv.DictReader(io.StringIO(dse("check", space, "--format", "csv", "--quiet").stdout))
    assert (row["name"], row["values"]) == (BITS, "1 to 16")


def test_a_misspelt_plugin_is_named_with_its_place(space: Path, dse: Any) -> None:
    space.write_text(space.read_text(encoding="utf-8").replace('"fixed"', '"fixd"'), encoding="utf-8")
    result = dse("check", space)
    assert result.exit_code == 1
    assert "error: there is no scheduler called 'fixd'" in result.stderr
    assert "small.toml: scheduler.plugins.0" in result.stderr
    assert "did you mean 'fixed'?" in result.stderr


@pytest.fixture
def study(problem: Any, space: Path, dse: Any) -> Path:
    del problem
    dse("run", space, "--quiet")
    return Path("results/small")


def test_pareto_takes_a_name_or_a_folder(study: Path, dse: Any) -> None:
    by_name, by_folder = dse("pareto", "small"), dse("pareto", study)
    assert by_name.exit_code == 0
    assert by_name.stdout == by_folder.stdout


def test_pareto_chooses_sorts_and_limits(study: Path, dse: Any) -> None:
    options = ("--columns", "trial, energy_uj", "--sort", "energy_uj", "--descending", "--limit", 2, "--format", "json")
    rows = json.loads(dse("pareto", study, *options).stdout)
    energies = sorted(pd.read_parquet(study / "pareto.parquet")["energy_uj"], reverse=True)
    assert [list(row) for row in rows] == [["trial", "energy_uj"]] * 2
    assert [row["energy_uj"] for row in rows] == energies[:2]


def test_pareto_keeps_designs_that_lose_little(study: Path, dse: Any) -> None:
    front = pd.read_parquet(study / "pareto.parquet")
    most = float(front["accuracy_drop"].median())
    rows = json.loads(dse("pareto", study, "--max-drop", most, "--format", "json").stdout)
    assert len(rows) == (front["accuracy_drop"] <= most).sum() < len(front)
    assert dse("pareto", study, "--max-drop", -1000).stdout == "no design of the front keeps these conditions\n"


def test_an_unknown_column_gets_the_nearest(study: Path, dse: Any) -> None:
    result = dse("pareto", study, "--columns", "area_mm")
    assert result.exit_code == 1
    assert "there is no column called 'area_mm'" in result.stderr
    assert "did you mean 'area_mm2'?" in result.stderr


def test_show_prints_what_is_known_and_leaves_out_what_is_not(study: Path, dse: Any) -> None:
    record = json.loads(dse("show", study, 0, "--format", "json").stdout)
    assert record["trial"] == 0
    assert record["order"] == ["trec6", "tweet_sent"]
    assert "lifetime_years" not in record
    table = dse("show", study, 0).stdout
    assert f"param.{BITS}" in table
    assert [line.split() for line in table.splitlines()[-3:-1]] == [["1", "trec6"], ["2", "tweet_sent"]]


def test_a_trial_that_is_not_there(study: Path, dse: Any) -> None:
    result = dse("show", study, 99)
    assert result.exit_code == 1
    assert "error: there is no trial 99" in result.stderr


def test_the_functions_give_what_the_commands_print(study: Path, dse: Any) -> None:
    rows = json.loads(dse("pareto", study, "--format", "json").stdout)
    assert pareto("small", results="results")["trial"].tolist() == [row["trial"] for row in rows]
    printed = json.loads(dse("show", study, 0, "--format", "json").stdout)
    assert show("small", 0) == printed


def test_the_functions_run_and_check(problem: Any, space: Path) -> None:
    told: list[str] = []
    done = run(space, trials=3, in_process=True, activity=lambda text, _share: told.append(text))
    assert done.progress.evaluated == 3
    assert told == ["fine-tuning trec6"] * 4
    report = check(space, in_process=True)
    assert (report.size, report.trials, report.parameters[0].choices) == (16, 6, 1)
    assert problem.built_with["device"] == "auto"


def test_the_function_names_the_devices(space: Path) -> None:
    from dse.errors import SetupError

    with pytest.raises(SetupError, match="auto or cpu or cuda"):
        check(space, device="tpu")


def test_a_space_file_that_is_not_there(dse: Any, space: Path) -> None:
    del space
    result = dse("run", "nowhere.toml")
    assert result.exit_code == 1
    assert "error: the space file does not exist" in result.stderr
    with pytest.raises(SpaceError):
        run("nowhere.toml")
