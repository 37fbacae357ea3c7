"""Models and data sets of the hub: a cache as the hub's own library lays it out, and no network."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.errors import SourceError, SpaceError
from dse.models import loaded_workload as service
from dse.models.hub import commit_of, fetch, find_folder
from dse.space.workload import parse
from tests.support.text import WORDS
from tests.support.tiny import CLASSIFIER, make_model, write_tokenizer

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path, config: Callable[..., Any], table: Path) -> Path:
    """Cache of the hub with a base, a checkpoint in two commits, and a data set."""
    cache = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    store(cache / "models--org--base", {"main": NEW}, lambda folder, _commit: shutil.copytree(base, folder))
    store(cache / "models--org--tuned", {"main": NEW, "v1": OLD}, lambda folder, commit: tune(folder, commit, config))
    store(cache / "datasets--org--rows", {"main": NEW, "v1": OLD}, lambda folder, _commit: copy(table, folder))
    return cache


def store(repository: Path, refs: dict[str, str], fill: Callable[[Path, str], object]) -> None:
    for name, commit in refs.items():
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "refs" / name).write_text(commit, encoding="utf-8")
        fill(repository / "snapshots" / commit, commit)


def tune(folder: Path, commit: str, config: Callable[..., Any]) -> None:
    make_model(config(num_labels=2), head=CLASSIFIER, seed=ord(commit[0])).save_pretrained(folder)
    write_tokenizer(folder, WORDS)


def copy(table: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(table, folder / "rows.csv")


@pytest.mark.parametrize(("revision", "commit"), [("", NEW), ("main", NEW), ("v1", OLD), (OLD, OLD)])
def test_a_branch_a_tag_and_a_commit_are_a_folder_of_the_cache(hub: Path, revision: str, commit: str) -> None:
    folder = find_folder("org/tuned", revision)
    assert folder == str(hub / "models--org--tuned" / "snapshots" / commit)
    assert commit_of(folder) == commit


@pytest.mark.usefixtures("hub")
def test_a_revision_or_a_name_that_does_not_exist_says_what_was_wanted() -> None:
    with pytest.raises(SourceError, match="a model on the hub could not be fetched") as caught:
        find_folder("org/tuned", "v2")
    assert "where: org/tuned, revision v2" in str(caught.value)
    with pytest.raises(SourceError, match="a dataset on the hub could not be fetched"):
        fetch("org/none", ("x.tsv",), kind="dataset")


def test_a_local_folder_has_no_revision(base: Path) -> None:
    assert find_folder(str(base)) == str(base)
    assert commit_of(str(base)) == ""
    with pytest.raises(SourceError, match="a local folder has no revision"):
        find_folder(str(base), "v1")


@pytest.mark.usefixtures("hub")
def test_shards_of_a_data_set_on_the_hub_are_named_by_their_beginning(
    hub: Path, tmp_path: Path, raw: dict[str, Any], table: Path
) -> None:
    folder = hub / "datasets--org--rows" / "snapshots" / NEW / "cola"
    folder.mkdir()
    whole = pd.read_csv(table)
    for at, part in enumerate((whole[:100], whole[100:])):
        part.to_parquet(folder / f"train-0000{at}-of-00002.parquet")
    task = raw | {"name": "t", "data": {"hub": "org/rows", "path": "cola/train"}}
    digests = []
    for data in (task["data"], raw["data"]):
        spec = parse({"base": "org/base", "tasks": [task | {"data": data}]})
        digests.append(service.LoadedWorkload(spec, cache=tmp_path / "cache", device="cpu").tasks["t"].data_digest)
    assert digests[0] == digests[1]


@pytest.mark.parametrize("place", [{"data": {"path": "x.csv", "revision": "v1"}}, {"revision": "v1"}])
def test_a_revision_of_nothing_on_the_hub_is_refused(raw: dict[str, Any], place: dict[str, Any]) -> None:
    with pytest.raises(SpaceError, match="has a revision"):
        parse({"base": "base", "tasks": [raw | {"name": "t"} | place]})


@pytest.mark.usefixtures("hub")
def test_what_revisions_mean_is_in_the_digests(tmp_path: Path, raw: dict[str, Any]) -> None:
    def digests(**revision: str) -> dict[str, str]:
        data = {"hub": "org/rows", "path": "rows.csv"} | revision
        task = raw | {"name": "t", "checkpoint": "org/tuned", "data": data} | revision
        spec = parse({"base": {"name": "b", "source": "org/base"}, "tasks": [task]})
        return service.LoadedWorkload(spec, cache=tmp_path / "cache", device="cpu").recorded

    new, old = digests(), digests(revision="v1")
    assert {name: value for name, value in new.items() if name.startswith("revision.")} == {
        "revision.base": NEW,
        "revision.task.t": NEW,
        "revision.data.t": NEW,
    }
    assert (old["revision.base"], old["revision.task.t"], old["revision.data.t"]) == (NEW, OLD, OLD)
    assert old["task.t"] != new["task.t"]
    assert old["data.t"] == new["data.t"]
