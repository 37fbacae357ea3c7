"""Data files with something wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.robustness.conftest import Home, told


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def binary(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def relabelled(path: Path, *labels: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    rows = [f"{line.split(chr(9))[0]}\t{labels[index % len(labels)]}" for index, line in enumerate(lines)]
    path.write_text("\n".join(["text\tlabel", *rows]) + "\n", encoding="utf-8")


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


WRONG: dict[str, tuple[str, Callable[[Path], object], tuple[str, ...]]] = {
    "missing": ("verdict", lambda path: path.unlink(), ("does not exist",)),
    "a folder": ("verdict", become_folder, ("verdict.tsv",)),
    "empty": ("verdict", text(""), ("verdict.tsv",)),
    "names only": ("verdict", text("text\tlabel\n"), ("verdict",)),
    "no label": ("verdict", text("text\tclass\nx y\t1\n"), ("column for label", "expected: column 'label'", "class")),
    "no text": ("verdict", text("body\tlabel\nx y\t1\n"), ("column for text", "body")),
    "empty texts": ("verdict", text("text\tlabel\n" + "\t1\n \t0\n" * 40), ("no usable row", "verdict")),
    "one class": ("verdict", lambda path: relabelled(path, "1"), ("single label", "two different")),
    "no labels": ("verdict", lambda path: relabelled(path, ""), ("no usable row",)),
    "few rows": (
        "verdict",
        text("text\tlabel\ngood film\t1\nbad film\t0\n"),
        ("task 'verdict'", "10 rows", "found: 2"),
    ),
    "not UTF-8": ("verdict", binary(b"text\tlabel\ngood\t1\nb\xe9d\t0\n"), ("utf-8", "line 3", "0xe9")),
    "more cells than names": ("verdict", text("text\tlabel\ngood\t1\nbad\t0\tx\n"), ("verdict.tsv", "line 3")),
    "open quote": ("verdict", text('text\tlabel\n"good\t1\nbad\t0\n'), ("verdict.tsv",)),
    "no number": ("rating", lambda path: relabelled(path, "1.5", "high"), ("row 2", "'high'", "number")),
    "endless": ("rating", lambda path: relabelled(path, "1.5", "inf"), ("row 2", "number")),
    "one value": ("rating", lambda path: relabelled(path, "1.5"), ("single label", "rating")),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_data_file_is_said_with_its_place(home: Home, dse: Any, wrong: str) -> None:
    task, spoil, words = WRONG[wrong]
    path = home.folder / f"{task}.tsv"
    spoil(path)
    told(dse("check", home.space), *words)
    told(dse("run", home.space), *words)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ('{ path = "verdict.tsv", columns = { txt = "text" } }', ("columns", "txt")),
        ('{ path = "verdict.tsv", keep = { lang = ["en"] } }', ("column for keep", "'lang'")),
        ('{ path = "verdict.tsv", labels = { yes = 1, no = 0 } }', ("yes, no", "found: 0, 1")),
        ('{ path = "verdict.tsv", encoding = "utf-7x" }', ("encoding", "utf-7x")),
        ('{ path = "verdict.tsv", encoding = "hex" }', ("encoding", "hex")),
        ('{ path = "verdict.tsv", format = "xml" }', ("data.format", "xml", "jsonl")),
        ('{ path = "verdict.tsv", format = "parquet" }', ("verdict.tsv", "damaged")),
        ('{ path = "verdict.tsv", format = "jsonl" }', ("verdict.tsv", "jsonl")),
        ('{ path = "verdict.tsv", format = "lines", pattern = "(" }', ("verdict.tsv", "lines")),
        ('{ path = "verdict.tsv", format = "lines", pattern = "(.*)" }', ("column for text",)),
        ('{ path = "verdict.tsv", group_pattern = "x" }', ("group_pattern", "verdict")),
        ('{ path = "verdict.tsv", report = "gone.tsv" }', ("gone.tsv", "does not exist")),
        ('{ path = "verdict.tsv", report = "unseen.tsv" }', ("unseen.tsv", "maybe", "training")),
        ('{ path = "model" }', ("model",)),
        ('{ path = "verdict.tsv", labels = { 1 = 5, 0 = -3 } }', ("labels",)),
        ('{ path = "verdict.tsv", labels = { 1 = 1000000, 0 = 0 } }', ("labels",)),
        ("{ }", ("tasks.0.data", "path or archive")),
    ],
)
def test_what_is_wrong_with_a_data_table_is_said_with_its_place(
    home: Home, dse: Any, new: str, words: tuple[str, ...]
) -> None:
    (home.folder / "unseen.tsv").write_text("text\tlabel\nx good\t1\ny bad\tmaybe\n", encoding="utf-8")
    told(dse("check", home.change('{ path = "verdict.tsv" }', new)), "where: ", *words)
