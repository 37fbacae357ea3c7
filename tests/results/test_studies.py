"""Which studies are meant by what is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from dse.errors import StudyError
from dse.results.studies import Source, find, study_folder
from tests.support.tables import OLD, row, write


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two studies, one that has only begun, and a folder of others."""
    for name in ("b", "a", "more/a", "more/c"):
        write(tmp_path / name, OLD, [row(0, 5.0, 0.8)])
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "log.jsonl").touch()
    return tmp_path


def names(results: Path, *studies: Path | str) -> list[str]:
    return [source.study for source in find(studies, results)]


def test_nothing_named_is_every_study_with_results(results: Path) -> None:
    assert names(results) == ["a", "b"]


def test_names_folders_and_folders_of_studies(results: Path) -> None:
    assert names(results, "b", results / "a") == ["b", "a"]
    assert names(results, "more") == names(results, results / "more") == ["a", "c"]
    assert [source.study for source in find("b", results)] == ["b"]
    assert [source.study for source in find(results, "elsewhere")] == ["a", "b"]


def test_a_study_named_twice_is_read_once(results: Path) -> None:
    assert names(results, "b", results, results / "more" / ".." / "b") == ["b", "a"]


def test_names_that_agree_are_told_apart_by_their_paths(results: Path) -> None:
    assert names(results, "a", "more") == [f"{results}/a", f"{results}/more/a", "c"]


def test_a_single_table_stands_for_its_study(results: Path) -> None:
    trials, copy = results / "a" / "trials.parquet", results / "copy.parquet"
    copy.write_bytes(trials.read_bytes())
    assert find([trials, copy], results) == [Source("a", trials, trials), Source("copy", copy, copy)]


def test_a_study_in_the_working_folder_has_that_folders_name(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results / "b")
    assert names(Path("results"), ".") == ["b"]


def test_a_folder_that_exists_wins(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results / "more")
    assert study_folder("a", results) == Path("a")
    assert study_folder("b", results) == results / "b"
    assert study_folder("none", results) == results / "none"
    assert study_folder("./none", results) == Path("none")
    assert study_folder("some/none", results) == Path("some/none")


def test_no_study_at_all_is_said(results: Path) -> None:
    with pytest.raises(StudyError, match="no study was found") as caught:
        find((), results / "a")
    assert f"where: {results / 'a'}" in str(caught.value)
    assert "--results" in str(caught.value)


def test_a_name_that_is_none_is_said_with_those_beside_it(results: Path) -> None:
    with pytest.raises(StudyError, match="there is no study here") as caught:
        find(["a", "d"], results)
    assert "studies beside it: a, b" in str(caught.value)
    with pytest.raises(StudyError, match="a log but no results yet"):
        find("begun", results)
    (results / "b" / "pareto.parquet").unlink()
    with pytest.raises(StudyError, match="there is no study here") as caught:
        find((), results)
    assert "a folder with pareto.parquet" in str(caught.value)
