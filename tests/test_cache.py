from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse import cache
from dse.cache import ArrayCache, Recent, cache_key, default_cache
from dse.errors import PluginContractError, StudyError
from dse.files import digest, file_digest, whole_file


@dataclass(frozen=True)
class Point:
    """A record that a plugin could put into a key."""

    x: int
    rest: object


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

PINNED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "score": {"base": "b", "task": "t", "split": "search", "input_bits": 8, "content": "c"},
    "arrays": {"plugin": "compressor.two-stage 1", "core": [1, 2, 1, 1], "name": "statistics", "key": {"task": "t"}},
}


@settings(derandomize=True, max_examples=50)
@given(st.dictionaries(st.text(), PLAIN, min_size=2))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.integers(), unique=True, min_size=2))
def test_a_digest_depends_on_the_order_of_items(value: list[int]) -> None:
    assert digest(value) != digest(value[::-1])


@pytest.mark.parametrize(
    "other",
    [
        np.where(np.arange(5000) == 2500, -1, np.arange(5000)),  # printed, both arrays are shortened to the same text
        np.arange(5000).reshape(50, 100),
        np.arange(5000).astype(np.float64),
        np.arange(5000).astype(np.int64).byteswap().view(">i8"),
    ],
    ids=["one number", "shape", "type", "bytes"],
)
def test_arrays_in_a_key_count_by_type_shape_and_bytes(other: np.ndarray) -> None:
    assert digest({"mask": np.arange(5000)}) == digest({"mask": np.arange(10000)[:5000]})
    assert digest({"mask": np.arange(5000)}) != digest({"mask": other})


def test_values_of_numpy_paths_and_records_in_a_key_count_by_their_content(tmp_path: Path) -> None:
    assert digest([np.int64(3), np.float32(0.5), tmp_path]) == digest([3, 0.5, str(tmp_path)])
    assert digest(Point(1, (2, 3))) == digest(Point(1, [2, 3]))
    assert digest(Point(1, (2, 3))) != digest(Point(1, (3, 2)))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (object(), "a value of type object"),
        ({1, 2}, "a value of type set"),
        (np.array([object()]), "a value of type ndarray"),
        ({(1, 2): 3}, "TypeError: keys must be str"),
        ({1: 2, "1": 3}, "TypeError: '<' not supported"),
    ],
)
def test_a_key_that_cannot_be_hashed_is_refused(value: object, found: str) -> None:
    with pytest.raises(PluginContractError, match=rf"cannot be hashed[\s\S]*found: {re.escape(found)}[\s\S]*do: put"):
        digest({"key": value})


def test_a_file_digest_is_sha256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"

    def write_half() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert list(path.parent.iterdir()) == []
    with whole_file(path) as temporary:
        temporary.write_text("whole")
    assert [file.name for file in path.parent.iterdir()] == ["file"]
    assert path.read_text() == "whole"


def test_a_folder_that_cannot_be_made_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError) as caught, whole_file(tmp_path / "file" / "below"):
        pass
    assert "could not be written" in str(caught.value)
    assert f"where: {tmp_path / 'file' / 'below'}" in str(caught.value)
    assert "--cache" in str(caught.value)


def test_cache_keys_stay_what_they_are_until_the_version_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that moves a score, or what a key holds, raises `KEYS_VERSION` and changes these three."""
    assert {name: cache_key(key) for name, key in PINNED.items()} == {
        "nothing": "4823fe288b96d55fa18ce7c6",
        "score": "48f59ac51eed74a99868c436",
        "arrays": "bc239fb99903a1eb95149688",
    }
    monkeypatch.setattr(cache, "KEYS_VERSION", cache.KEYS_VERSION + 1)
    assert cache_key({}) != "4823fe288b96d55fa18ce7c6"


def test_of_many_values_the_last_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_RECENT", 3)
    values: dict[str, int] = Recent()
    for number, name in enumerate("abcabd"):
        values[name] = number  # noqa: PERF403  # a comprehension would make another dictionary
    assert values == {"b": 4, "c": 2, "d": 5}


def test_arrays_are_made_once_for_a_key(tmp_path: Path) -> None:
    cache, made = ArrayCache(tmp_path), []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"values": np.arange(3)}

    for _ in range(2):
        assert cache.find_or_make("kind", {"a": 1}, make)["values"].tolist() == [0, 1, 2]
    assert len(made) == 1
    assert cache.get("kind", {"a": 2}) is None
    assert cache.get("other", {"a": 1}) is None


def test_a_damaged_array_file_counts_as_none(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path)
    cache.put("kind", {"a": 1}, {"values": np.arange(3)})
    (file,) = (tmp_path / "kind").iterdir()
    for content in (b"", b"no zip file"):
        file.write_bytes(content)
        assert cache.get("kind", {"a": 1}) is None


def test_an_array_file_cut_short_counts_as_none(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path)
    cache.put("kind", {"a": 1}, {"values": np.arange(3000)})
    (file,) = (tmp_path / "kind").iterdir()
    file.write_bytes(file.read_bytes()[:-200])
    assert cache.get("kind", {"a": 1}) is None


def test_the_environment_names_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DSE_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("DSE_CACHE")
    assert default_cache().name == "dse"


def test_arrays_of_another_key_count_as_missing(tmp_path: Path) -> None:
    """A file that was copied or renamed, and one that another program wrote, are whole and hold the wrong arrays."""
    arrays = ArrayCache(tmp_path)
    for key in ("a", "b"):
        arrays.put("scores", {"key": key}, {key: np.zeros(3)})
    one, other = (tmp_path / "scores" / f"{cache_key({'key': key})}.npz" for key in ("a", "b"))

    one.write_bytes(other.read_bytes())
    assert arrays.get("scores", {"key": "a"}) is None
    np.savez(one, foo=np.zeros(3))
    assert arrays.find_or_make("scores", {"key": "a"}, lambda: {"a": np.ones(3)}).keys() == {"a"}
