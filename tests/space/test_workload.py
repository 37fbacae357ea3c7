from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dse.errors import SpaceError, UnknownNameError
from dse.space.data import DataSpec
from dse.space.workload import WorkloadSpec, catalogue, parse
from dse.space.workload_paths import with_paths

OWN: dict[str, Any] = {
    "name": "mine",
    "kind": "classification",
    "metric": "f1",
    "data": {"path": "rows.csv", "report": "dev.csv"},
}
ARCHIVE = {"wheels": ["x==1"], "sha256": ["0"], "member": "x"}
CATALOGUED = [
    "trec6",
    "trec50",
    "sms_spam",
    "rt_polarity",
    "privacyqa",
    "boolq",
    "tweet_sent",
    "amazon_sent",
    "nyt_sent",
]


def test_importing_it_loads_no_heavy_library() -> None:
    heavy = "{'torch', 'transformers', 'sklearn', 'pandas'}"
    code = f"import sys, dse.space.workload; sys.exit(', '.join(sorted({heavy} & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_every_packaged_name_stands_for_a_valid_pinned_table() -> None:
    assert sorted(catalogue()["task"]) == sorted(CATALOGUED)
    for base in catalogue()["base"]:
        spec = parse({"base": base, "tasks": CATALOGUED})
        assert [task.name for task in spec.tasks] == CATALOGUED
        archives = [spec.base.archive, *(task.data.archive for task in spec.tasks)]
        for archive in archives:
            assert archive is not None
            assert len(archive.wheels) == len(archive.sha256)
            assert all("==" in wheel for wheel in archive.wheels)
            assert all(len(sha256) == 64 for sha256 in archive.sha256)


def test_a_packaged_task_can_be_changed_in_part() -> None:
    spec = parse({"base": "minilm-l6", "tasks": [{"name": "trec6", "rate": 3.0, "fine_tune": {"epochs": 1}}]})
    assert spec.tasks[0].rate == 3.0
    assert spec.tasks[0].fine_tune.epochs == 1
    assert spec.tasks[0].data.archive == parse({"base": "minilm-l6", "tasks": ["trec6"]}).tasks[0].data.archive


def test_a_base_that_is_not_packaged_is_a_hub_name_or_a_folder_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    path = tmp_path / "space.toml"
    assert parse({"base": "model", "tasks": ["trec6"]}, path=path).base.source == str(tmp_path / "model")
    assert parse({"base": "owner/model", "tasks": ["trec6"]}, path=path).base.source == "owner/model"


def test_local_files_are_relative_to_the_space_file(tmp_path: Path) -> None:
    spec = parse({"base": "owner/model", "tasks": [OWN]}, path=tmp_path / "space.toml")
    assert spec.tasks[0].data.path == str(tmp_path / "rows.csv")
    assert spec.tasks[0].data.report == str(tmp_path / "dev.csv")
    assert spec.tasks[0].checkpoint == ""


def test_a_table_whose_file_is_missing_gives_way_to_another(tmp_path: Path) -> None:
    other = {"hub": "some/set", "path": "train.parquet", "report": "dev.parquet", "columns": {"text": "sentence"}}
    raw = {"base": "minilm-l6", "tasks": [OWN | {"data": {"path": "rows.csv", "otherwise": other}}]}
    (elsewhere,) = parse(raw, path=tmp_path / "my.toml").tasks
    assert (elsewhere.data.hub, elsewhere.data.path) == ("some/set", "train.parquet")
    (tmp_path / "rows.csv").write_text("text,label\n")
    (here,) = parse(raw, path=tmp_path / "my.toml").tasks
    assert (here.data.hub, here.data.path) == ("", str(tmp_path / "rows.csv"))
    moved = with_paths(raw, lambda name: f"/x/{name}")["tasks"][0]["data"]
    assert moved["path"] == "/x/rows.csv"
    assert moved["otherwise"]["path"] == "train.parquet"


def test_an_unknown_packaged_task_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse({"base": "minilm-l6", "tasks": ["trec7"]})
    assert "there is no packaged task called 'trec7'" in str(caught.value)
    assert "did you mean 'trec6'?" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "name", "nearest", "where"),
    [
        ({"trafic": {}}, "trafic", "traffic", "workload.trafic"),
        ({"traffic": {"batches": 3}}, "batches", "batch", "workload.traffic.batches"),
        ({"tasks": [OWN | {"metrics": "f1"}]}, "metrics", "metric", "workload.tasks.0.metrics"),
        (
            {"tasks": [OWN | {"fine_tune": {"epoch": 3}}]},
            "epoch",
            "epochs",
            "workload.tasks.0.fine_tune.epoch",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_place_and_the_nearest(
    change: dict[str, Any], name: str, nearest: str, where: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse({"base": "minilm-l6", "tasks": ["trec6"]} | change, path=Path("my.toml"))
    assert str(caught.value).splitlines()[0] == f"there is no key called {name!r}"
    assert f"where: my.toml: {where}" in str(caught.value)
    assert f"did you mean {nearest!r}?" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"tasks": []}, "there is no task"),
        ({"tasks": ["trec6", "trec6"]}, "task 'trec6' is listed twice"),
        ({"traffic": {"batch": 0}}, "greater than 0"),
        ({"traffic": {"mode": "both"}}, "'independent' or 'shared'"),
        ({"tasks": [OWN | {"metric": "recall"}]}, "'accuracy', 'f1'"),
        ({"tasks": [OWN | {"data": {"format": "csv"}}]}, "give either path or archive"),
        ({"tasks": [OWN | {"rate": -1}]}, "greater than 0"),
        ({"tasks": [OWN | {"data": {"archive": ARCHIVE, "hub": "a/b"}}]}, "has a path, not an archive"),
    ],
)
def test_an_unusable_value_says_why(change: dict[str, Any], text: str) -> None:
    with pytest.raises(SpaceError, match="not usable") as caught:
        parse({"base": "minilm-l6", "tasks": ["trec6"]} | change)
    assert text in str(caught.value)


def test_a_missing_key_is_named_with_its_place() -> None:
    with pytest.raises(SpaceError) as caught:
        parse({"base": "minilm-l6", "tasks": [{name: value for name, value in OWN.items() if name != "name"}]})
    assert str(caught.value) == "the key 'name' is missing\n  where: space: workload.tasks.0.name"


@pytest.mark.parametrize("given", [{"kind": "regression"}, {"metric": "pearson"}, {}])
def test_a_task_may_leave_out_its_kind_and_its_metric(given: dict[str, Any]) -> None:
    table = {name: value for name, value in OWN.items() if name not in ("kind", "metric")} | given
    task = parse({"base": "minilm-l6", "tasks": [table]}).tasks[0]
    assert (task.kind, task.metric) == (given.get("kind", ""), given.get("metric", ""))


@pytest.mark.parametrize(("kind", "metric"), [("regression", "accuracy"), ("classification", "pearson")])
def test_a_metric_that_does_not_fit_the_kind_is_refused_before_anything_runs(kind: str, metric: str) -> None:
    with pytest.raises(SpaceError, match="does not fit"):
        parse({"base": "minilm-l6", "tasks": [OWN | {"kind": kind, "metric": metric}]})


@pytest.mark.parametrize("change", [{"tasks": [OWN | {"rate": float("inf")}]}, {"traffic": {"batch": float("inf")}}])
def test_an_infinite_rate_or_batch_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SpaceError, match="finite"):
        parse({"base": "minilm-l6", "tasks": ["trec6"]} | change)


def test_a_validated_workload_validates_again_to_itself() -> None:
    spec = parse({"base": "minilm-l6", "tasks": ["trec6", OWN], "traffic": {"mode": "shared"}})
    assert WorkloadSpec.model_validate(spec.model_dump()) == spec


def test_a_tilde_is_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, beside = tmp_path / "home", tmp_path / "beside"
    (home / "base").mkdir(parents=True)
    beside.mkdir()
    monkeypatch.setenv("HOME", str(home))
    task = OWN | {"checkpoint": "~/tuned", "data": {"path": "~/rows.csv", "report": "~/dev.csv", "train": "~/fit.csv"}}
    spec = parse({"base": "~/base", "tasks": [task]}, path=beside / "space.toml")
    assert spec.base.source == str(home / "base")
    assert spec.tasks[0].checkpoint == str(home / "tuned")
    data = spec.tasks[0].data
    assert [data.path, data.report, data.train] == [str(home / f"{name}.csv") for name in ("rows", "dev", "fit")]
    (beside / "~").mkdir()
    (beside / "~" / "rows.csv").touch()  # a folder of this name comes first
    spec = parse({"base": "~/base", "tasks": [task]}, path=beside / "space.toml")
    assert spec.tasks[0].data.path == str(beside / "~" / "rows.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"path": "a.csv", "report": "a.csv"}, "path, train and report name one file twice"),
        ({"path": "a.csv", "train": "a.csv"}, "path, train and report name one file twice"),
        ({"archive": ARCHIVE, "train": "a.csv"}, "train and report need a path"),
        ({"path": "a.csv", "keep": {"label": []}}, "keep"),
    ],
)
def test_a_table_that_leaves_no_rows_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        parse({"base": "minilm-l6", "tasks": [OWN | {"data": data}]})


def test_a_path_that_no_file_can_have_is_a_missing_file(tmp_path: Path) -> None:
    long = "x" * 5000
    spec = parse({"base": long, "tasks": [OWN | {"data": {"path": long}}]}, path=tmp_path / "space.toml")
    assert spec.base.source == long


def test_variables_in_paths_are_read_as_a_shell_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models" / "base").mkdir(parents=True)
    monkeypatch.setenv("MODELS", str(tmp_path / "models"))
    task = OWN | {"checkpoint": "$MODELS/tuned", "data": {"path": "${MODELS}/rows.csv"}}
    spec = parse({"base": "$MODELS/base", "tasks": [task]}, path=tmp_path / "space.toml")
    assert spec.base.source == str(tmp_path / "models" / "base")
    assert spec.tasks[0].checkpoint == str(tmp_path / "models" / "tuned")
    assert spec.tasks[0].data.path == str(tmp_path / "models" / "rows.csv")
    (tmp_path / "$MODELS").mkdir()
    (tmp_path / "$MODELS" / "base").mkdir()  # a folder of this name comes first
    assert parse({"base": "$MODELS/base", "tasks": [task]}, path=tmp_path / "space.toml").base.source.endswith(
        "$MODELS/base"
    )


def test_a_configuration_and_a_split_of_the_hub_name_the_same_files_as_a_path() -> None:
    table = {"hub": "nyu-mll/glue", "split": "validation"}

    assert DataSpec.model_validate(table | {"config": "cola"}).path == "cola/validation"
    assert DataSpec.model_validate(table).path == "validation"


@pytest.mark.parametrize(
    "table", [{"path": "a.tsv", "split": "train"}, {"split": "train"}, {"hub": "a/b", "path": "c/d", "config": "c"}]
)
def test_a_configuration_or_split_beside_a_path_or_without_a_hub_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(SpaceError, match="config and split name rows"):
        parse({"base": "minilm-l6", "tasks": [OWN | {"data": table}]})
