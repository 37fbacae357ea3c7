"""Files that a plugin reads: opened by any library that tells Python, and named ones; not the core's, nor code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dse.cache import ArrayCache
from dse.opened import hashes_of, heard, note, note_named, unheard


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("x\n1\n", encoding="utf-8")
    return path


READERS: list[Callable[[Path], object]] = [
    Path.read_text,
    pd.read_csv,
    lambda path: np.loadtxt(path, skiprows=1),
    lambda path: np.fromfile(path, dtype=np.uint8),
    lambda path: os.close(os.open(path, os.O_RDONLY)),
]


@pytest.mark.parametrize("read", READERS)
def test_a_file_counts_whoever_opens_it(file: Path, read: Callable[[Path], object]) -> None:
    with heard() as files:
        read(file)
    read(file)
    assert files == {file}


def test_what_is_written_code_the_system_and_packages_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("")
    with heard() as files:
        (tmp_path / "made.txt").write_text("")
        os.close(os.open(tmp_path / "other.txt", os.O_WRONLY | os.O_CREAT))
        for path in (tmp_path / "code.py", Path(json.__file__), Path(pd.__file__).with_name("py.typed"), "/etc/passwd"):
            if Path(path).is_file():
                Path(path).read_bytes()
    assert files == set()


def test_the_cores_files_do_not_count_and_noted_ones_do(file: Path, tmp_path: Path) -> None:
    with heard() as files:
        with unheard():
            file.read_text()
            with heard() as inner:
                file.with_name("absent")
            note(tmp_path / "noted")
        assert files == {tmp_path / "noted"}
        assert inner == set()
        with heard():
            file.read_text()
    assert files == {tmp_path / "noted", file}


def test_a_generator_of_the_core_hides_only_its_own_files(file: Path, tmp_path: Path) -> None:
    (tmp_path / "own").write_text("")

    def observe() -> Iterator[str]:
        with unheard():
            text = file.read_text()
        yield text

    with heard() as files:
        for _ in observe():
            (tmp_path / "own").read_text()
    assert files == {tmp_path / "own"}


def test_files_that_options_name_count(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with heard() as files:
        note_named({"table": str(file), "other": ["data.csv", 3, None], "name": "no file"})
    assert files == {file}


def test_hashes_are_of_content_by_name(file: Path, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    other = tmp_path / "below" / "data.csv"
    other.write_text("x\n1\n", encoding="utf-8")
    one = hashes_of([file])
    assert one == hashes_of([other]) != hashes_of([file, other])
    other.write_text("x\n2\n", encoding="utf-8")
    assert hashes_of([other]) != one
    other.unlink()
    assert list(hashes_of([other])) == ["data.csv"]


def test_cached_arrays_are_made_again_when_a_file_that_they_were_made_from_changes(file: Path, tmp_path: Path) -> None:
    cache, made = ArrayCache(tmp_path / "cache"), []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"values": np.loadtxt(file, skiprows=1)}

    for _ in range(2):
        with heard() as files:
            assert cache.find_or_make("kind", {}, make).keys() == {"values"}
        assert files == {file}
    assert len(made) == 1
    file.write_text("x\n20\n", encoding="utf-8")
    assert cache.find_or_make("kind", {}, make)["values"] == 20
    file.unlink()
    assert cache.get("kind", {}) is None


def test_a_cache_that_has_moved_knows_its_own_files(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path / "one")
    (tmp_path / "one").mkdir()
    trained = tmp_path / "one" / "trained"
    trained.write_text("weights")
    cache.put("kind", {}, {"values": np.arange(3)}, [trained])
    (tmp_path / "one").rename(tmp_path / "two")
    assert ArrayCache(tmp_path / "two").get("kind", {}) is not None
    (tmp_path / "two" / "trained").write_text("others")
    assert ArrayCache(tmp_path / "two").get("kind", {}) is None
