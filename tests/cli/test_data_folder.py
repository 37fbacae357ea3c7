"""A data folder of the user's own: `--data`, `$DSE_DATA`, else the hub."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from dse.models.loaded_task import LoadedTask
from dse.space.data import DataSpec
from dse.space.file import load
from dse.space.workload import parse
from dse.study.load import request

TASK = """
[[workload.tasks]]
name = "own"
kind = "classification"
metric = "accuracy"
[workload.tasks.data]
path = "set/train.tsv"
report = "set/dev.tsv"
[workload.tasks.data.otherwise]
hub = "owner/set"
path = "train.parquet"
"""


@pytest.fixture
def own(space: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A space file whose task reads a file, or else the hub."""
    monkeypatch.delenv("DSE_DATA", raising=False)
    text = space.read_text(encoding="utf-8").replace('tasks = ["trec6", "tweet_sent"]\n', "")
    space.write_text(text.replace("[search]", TASK + "\n[search]"), encoding="utf-8")
    return space


def put(folder: Path) -> Path:
    (folder / "set").mkdir(parents=True)
    for name in ("train", "dev"):
        rows = "".join(f"{name} {index}\t{index % 2}\n" for index in range(200))
        (folder / "set" / f"{name}.tsv").write_text("text\tlabel\n" + rows, encoding="utf-8")
    return folder


def source(space: Path, data: Path | str | None = None) -> DataSpec:
    """Where the task's rows come from."""
    wanted = request(space, "cpu", None, data=data).space
    return parse(wanted.workload, path=wanted.path).tasks[0].data


def test_without_a_folder_the_hub_has_the_data(own: Path) -> None:
    assert (source(own).hub, source(own).path) == ("owner/set", "train.parquet")


def test_the_variable_names_the_folder(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path / "data")
    monkeypatch.setenv("DSE_DATA", str(folder))
    assert source(own).hub == ""
    assert (source(own).path, source(own).report) == (str(folder / "set/train.tsv"), str(folder / "set/dev.tsv"))


def test_the_option_takes_precedence(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DATA", str(put(tmp_path / "data")))
    other = put(tmp_path / "other")
    assert source(own, other).path == str(other / "set/train.tsv")
    assert source(own, "other").path == str(other / "set/train.tsv")


@pytest.mark.parametrize(
    "name", ["set/train-00000-of-00001.parquet", "set/train/0000.parquet", "set/train/data-00000-of-00001.arrow"]
)
def test_a_table_in_several_files_is_looked_for_in_the_folder(own: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / "data" / name
    file.parent.mkdir(parents=True)
    file.touch()
    own.write_text(own.read_text(encoding="utf-8").replace("set/train.tsv", "set/train"), encoding="utf-8")
    assert source(own, tmp_path / "data").path == str(tmp_path / "data/set/train")


def test_files_beside_the_space_file_come_first(own: Path, tmp_path: Path) -> None:
    folder = put(tmp_path / "data")
    put(tmp_path)
    assert source(own, folder).path == str(tmp_path / "set/train.tsv")


def test_a_folder_without_the_file_leaves_the_hub(own: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert source(own, tmp_path / "empty").hub == "owner/set"


def test_a_folder_that_does_not_exist_is_an_error(own: Path, dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = dse("check", own, "--data", "nowhere")
    assert result.exit_code == 1
    assert "error: the data folder does not exist\n  where: --data\n" in result.stderr
    monkeypatch.setenv("DSE_DATA", "gone")
    assert "where: $DSE_DATA\n" in dse("check", own).stderr


@pytest.mark.parametrize("command", ["run", "check"])
def test_the_option_reaches_the_problem(problem: Any, own: Path, dse: Any, tmp_path: Path, command: str) -> None:
    folder = put(tmp_path / "data")
    result = dse(command, own, "--data", folder)
    assert result.exit_code == 0, result.output
    assert problem.built_with["space"].workload["tasks"][0]["data"]["path"] == str(folder / "set/train.tsv")


def test_a_study_continues_after_the_folder_has_moved(problem: Any, own: Path, dse: Any, tmp_path: Path) -> None:
    del problem
    first = put(tmp_path / "data")
    assert dse("run", own, "--data", first, "--trials", 2).exit_code == 0
    resolved = load(Path("results/small/space.toml")).workload["tasks"][0]["data"]
    assert resolved["path"] == str(first / "set/train.tsv")
    first.rename(tmp_path / "moved")
    again = dse("run", own, "--data", tmp_path / "moved", "--trials", 3)
    assert again.exit_code == 0, again.output
    assert "2 of them done earlier" in again.stderr


@pytest.mark.parametrize("folder", ["data", None])
def test_a_message_names_what_a_task_reads(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str | None
) -> None:
    data = put(tmp_path / "data")
    pd.read_csv(data / "set" / "train.tsv", sep="\t").to_parquet(data / "train.parquet")
    monkeypatch.setattr("dse.models.task_rows.fetch", lambda *_words, **_options: data)
    said: list[tuple[str, float | None]] = []
    wanted = request(own, "cpu", None, data=folder).space
    workload: Any = SimpleNamespace(cache=tmp_path, progress=lambda text, share: said.append((text, share)))
    task = LoadedTask(parse(wanted.workload, path=wanted.path).tasks[0], workload)
    assert task.classes == ("0", "1")
    place = "data set owner/set of the hub" if folder is None else str(data / "set")
    assert said == [(f"task 'own' reads {place}", 1.0)]
    assert len(task.splits.report) > 0


def test_scores_depend_on_the_content_and_not_on_the_place(own: Path, tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        wanted = request(own, "cpu", None, data=put(tmp_path / name)).space
        workload: Any = SimpleNamespace(cache=tmp_path, progress=None)
        digests.append(LoadedTask(parse(wanted.workload, path=wanted.path).tasks[0], workload).data_digest)
    assert digests[0] == digests[1]
