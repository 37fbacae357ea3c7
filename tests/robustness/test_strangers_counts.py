"""Rows of strangers that are left out or doubted are counted or noted."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from dse.models.data.read import read
from tests.robustness.conftest import Home
from tests.support.data_files import (
    FAST_TEXT,
    PAIR,
    PAIRS,
    ROWS,
    SEED,
    Row,
    Write,
    delimited,
    make_task,
    objects,
    raw,
    read_rows,
    tabbed,
)  # fmt: skip
from tests.support.tiny import WORDS

SAID: dict[str, tuple[str, Write, dict[str, Any], list[Row], dict[str, int], tuple[str, ...]]] = {
    "classes that differ in case": (
        "a.csv",
        raw(delimited([("a", "Positive"), ("b", "positive "), ("c", "neg")])),
        {},
        [("a", "Positive"), ("b", "positive"), ("c", "neg")],
        {},
        ("Positive, positive", "labels"),
    ),
    "classes that differ in their accents' code": (
        "a.jsonl",
        raw(objects([("a", "né"), ("b", "ne\u0301"), ("c", "pas né")])),
        {},
        [("a", "né"), ("b", "ne\u0301"), ("c", "pas né")],
        {},
        ("né", "labels"),
    ),
    "classes that differ in a mark": (
        "a.tsv",
        raw(tabbed([("a", "so so"), ("b", "so-so"), ("c", "no")])),
        {},
        [("a", "so so"), ("b", "so-so"), ("c", "no")],
        {},
        ("so so, so-so", "labels"),
    ),
    "lines that no pattern matches": (
        "a.txt",
        raw("__label__pos one\n\n__label_neg two\n__label__neg three\n"),
        FAST_TEXT,
        [("one", "pos"), ("three", "neg")],
        {},
        ("lines that the pattern does not match: 1", "line 3"),
    ),
    "rows without a label": (
        "a.jsonl",
        raw(
            objects([*ROWS, ("null", None), ("no number", float("nan")), ("minus", -1), ("blank", " ")])
            + '{"text":"x"}'
        ),
        {},
        ROWS,
        {"unlabelled": 5},
        (),
    ),
    "short lines": ("a.csv", raw(delimited() + "no label\n\n"), {}, ROWS, {"unlabelled": 1}, ()),
    "rows twice": (
        "a.csv",
        raw(delimited([*ROWS, *ROWS[:3], ("twice", "neg"), ("twice", "pos")])),
        {},
        ROWS,
        {"duplicate": 3, "conflicting": 2},
        (),
    ),
    "lines whose pattern leaves the label open": (
        "a.txt",
        raw("pos: one\nneg: two\nthree\n"),
        {"format": "lines", "pattern": r"((?P<label>\w+): )?(?P<text>.+)"},
        [("one", "pos"), ("two", "neg")],
        {"unlabelled": 1},
        (),
    ),
    "first texts that are missing": (
        "a.jsonl",
        raw(objects([*PAIRS, ("", "two", "neg")], ("text", "other", "label"))),
        PAIR,
        PAIRS,
        {"empty": 1},
        (),
    ),
}
"""Name of the file, its content, its table of data, the rows that a reader must get, dropped rows by reason, and words of a note."""


@pytest.mark.parametrize("case", SAID)
def test_what_a_reader_leaves_out_or_doubts_is_counted_or_noted(tmp_path: Path, case: str) -> None:
    name, write, data, rows, dropped, words = SAID[case]
    write(tmp_path / name)
    frame = read(make_task(data, "classification"), tmp_path / name)
    assert read_rows(frame) == rows
    assert {reason: count for reason, count in frame.attrs["dropped"].items() if count} == dropped
    (note,) = frame.attrs["notes"] or ("",)
    assert all(word in note for word in words)
    assert bool(note) == bool(words)


def test_the_first_of_two_values_of_a_text_stays_and_groups_are_one_in_each_form(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        objects([("a", 1, 7), ("a", 2, "7"), ("b", 3, 7.0), ("c", 4, None)], ("text", "label", "g"))
    )
    frame = read(make_task({"columns": {"group": "g"}}, "regression"), tmp_path / "a.jsonl")
    assert read_rows(frame) == [("a", 1.0), ("b", 3.0), ("c", 4.0)]
    assert list(frame["group"]) == ["7", "7", ""]
    assert frame.attrs["dropped"]["duplicate"] == 1


def drawn(count: int, word: str) -> list[Row]:
    """Draw rows of the tiny model's words, which start with a word of their own."""
    chance = random.Random(f"{SEED}{word}")
    texts = dict.fromkeys(f"{word} {' '.join(chance.choices(WORDS, k=5))}" for _ in range(2 * count))
    return [(text, at % 2) for at, text in enumerate(list(texts)[:count])]


FILM, PLOT = drawn(60, "film"), drawn(30, "plot")
LONGER = [(f"{text} {'music ' * 20}", label) for text, label in PLOT]
CHECKED: dict[str, tuple[list[Row], list[Row], str, tuple[str, ...]]] = {
    "rows of both files": (
        FILM,
        [*PLOT, *((text.upper() + "!", label) for text, label in FILM[:7])],
        "",
        ("7 shared",),
    ),
    "labels for half": ([*FILM, *((text + " end", -1) for text, _ in FILM)], PLOT, "", ("60 unlabelled",)),
    "a class of one row": (FILM, [*PLOT, ("plot the end", 2)], ", labels = { 0 = 0, 1 = 1, 2 = 2 }", ("1 unseen",)),
    "texts that are cut": (FILM, LONGER, "", ("30 longer than 16 tokens and cut",)),
}


@pytest.mark.parametrize("case", CHECKED)
def test_check_counts_the_rows_of_a_stranger(home: Home, dse: Any, case: str) -> None:
    rows, report, more, words = CHECKED[case]
    (home.folder / "a.csv").write_text(delimited(rows), encoding="utf-8")
    (home.folder / "b.CSV").write_text("\ufeff" + delimited(report), encoding="utf-8")
    result = dse("check", home.change('{ path = "verdict.tsv" }', f'{{ path = "a.csv", report = "b.CSV"{more} }}'))
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert [word for word in words if word not in shown] == [], shown
