"""Files of labelled text as strangers write them are read to the last row; the rows stand beside each file."""

from __future__ import annotations

import bz2
import csv
import decimal
import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dse.models.data.read import read
from tests.robustness.conftest import Home
from tests.support.data_files import (
    FAST_TEXT,
    LABELS,
    NAMES,
    NUMBERS,
    ROWS,
    SEED,
    TEXTS,
    Row,
    Write,
    delimited,
    described,
    indexed,
    make_task,
    named_classes,
    objects,
    parquet,
    raw,
    read_rows,
    shards,
    tabbed,
)  # fmt: skip
from tests.support.tiny import WORDS

DIGITS = [(text, str(number)) for text, number in zip(TEXTS, NUMBERS, strict=True)]
BIG = [2**53 + NUMBERS[at] for at in range(len(ROWS))]
VALUES = [float(at % 5) for at in range(len(ROWS))]
VALUED = list(zip(TEXTS, VALUES, strict=True))
PAIR = {"columns": {"text_b": "other"}}
PAIRS = [
    ("same", "same", "neg"),
    ("same", "", "pos"),
    ("one", "two", "neg"),
    ("two", "one", "pos"),
    ("a|", "b", "neg"),
    ("a", "|b", "pos"),
    ("a||b", "c", "neg"),
    ("a", "b||c", "pos"),
]
SIGNS = [
    ("مرحبا بالعالم", "neg"),
    ("\u202bשלם\u202c עלם", "pos"),
    ("\U0001f469\u200d\U0001f469\u200d\U0001f467", "neg"),
    ("\U0001f469\U0001f469\U0001f467", "pos"),
    ("ﬁn", "neg"),
    ("fin", "pos"),
]
CASES = [("Us", "neg"), ("US", "pos"), ("us", "neg"), ("uS", "pos")]
ABSENT = [("NA", "None"), ("null", "nan"), ("nan", "None"), ("None", "nan"), ("N/A", "NA"), ("-", "NA")]
LONG = [("word " * 60_000 + str(at), name) for at, name in enumerate(LABELS)]
BROKEN = [('He said "no",\ntwice', "neg"), ("two\n\nlines", "pos"), ('"', "neg"), (",", "pos")]
STARS = [("a", "very good"), ("b", "so so"), ("c", "very good")]
NAMED = {"columns": {"text": "def", "label": "class"}}

READ: dict[str, tuple[str, Write, dict[str, Any], list[Row]]] = {
    "a spreadsheet's CSV": ("a.csv", raw("\ufeff" + delimited(quoting=csv.QUOTE_ALL)), {}, ROWS),
    "quotes and lines in quotes": ("a.csv", raw(delimited(BROKEN, lineterminator="\n")), {}, BROKEN),
    "an index without a name": (
        "a.csv",
        raw(delimited([(at, *row) for at, row in enumerate(ROWS)], ("", "text", "label"))),
        {},
        ROWS,
    ),
    "a delimiter at the end of all lines": (
        "a.csv",
        raw(delimited([(*row, "") for row in ROWS], ("text", "label", ""))),
        {},
        ROWS,
    ),
    "an ending in capitals": ("A.CSV", raw(delimited()), {}, ROWS),
    "two endings in capitals": ("A.Csv.GZ", raw(gzip.compress(delimited().encode(), mtime=0)), {}, ROWS),
    "parquet with an ending in capitals": ("A.PARQUET", parquet(), {}, ROWS),
    "endings in another order": ("a.gz.csv", raw(delimited()), {}, ROWS),
    "UTF-16": ("a.csv", raw(delimited(), "utf-16"), {"encoding": "utf-16"}, ROWS),
    "UTF-16 with a mark": ("a.csv", raw("\ufeff" + delimited(), "utf-16-be"), {"encoding": "utf-16-be"}, ROWS),
    "cp1252": (
        "a.csv",
        raw(delimited([("“naïve”", "a"), ("€", "b")]), "cp1252"),
        {"encoding": "cp1252"},
        [("“naïve”", "a"), ("€", "b")],
    ),
    "words of pandas for nothing": ("a.csv", raw(delimited(ABSENT)), {}, ABSENT),
    "a null character in CSV": ("a.csv", raw("text,label\na\0b,x\nc,y\n"), {}, [("a\0b", "x"), ("c", "y")]),
    "a null character in JSON": (
        "a.jsonl",
        raw(objects([("a\0b", "x"), ("a\0c", "y")])),
        {},
        [("a\0b", "x"), ("a\0c", "y")],
    ),
    "nested fields that no column names": ("a.jsonl", raw(objects(meta={"label": [1, {"text": 2}]})), {}, ROWS),
    "numbers in three forms": (
        "a.jsonl",
        raw(objects([("a", 1), ("b", "1"), ("c", 1.0), ("d", "1.0 "), ("e", 0), ("f", "0.00")])),
        {},
        [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "0"), ("f", "0")],
    ),
    "truths and their names": (
        "a.jsonl",
        raw(objects([("a", True), ("b", "False"), ("c", False), ("d", "True")])),
        {},
        [("a", "True"), ("b", "False"), ("c", "False"), ("d", "True")],
    ),
    "members of gzip": (
        "a.csv.gz",
        raw(b"".join(gzip.compress(line.encode(), mtime=0) for line in delimited().splitlines(keepends=True))),
        {},
        ROWS,
    ),
    "dictionaries of parquet": (
        "a.parquet",
        parquet(pa.array(TEXTS).dictionary_encode(), pd.Categorical(NAMES, [*LABELS, "neutral"])),
        {},
        ROWS,
    ),
    "large and viewed strings": (
        "a.parquet",
        parquet(pa.array(TEXTS, pa.large_string()), pa.array(NAMES, pa.string_view())),
        {},
        ROWS,
    ),
    "decimals as labels": (
        "a.parquet",
        parquet(label=pa.array([decimal.Decimal(n) for n in NUMBERS], pa.decimal128(5, 2))),
        {},
        DIGITS,
    ),
    "small integers as labels": ("a.parquet", parquet(label=pa.array(NUMBERS, pa.uint8())), {}, DIGITS),
    "large integers beside a null": (
        "a.parquet",
        parquet(pa.array([*TEXTS, "none"]), pa.array([*BIG, None], pa.int64())),
        {"labels": {str(2**53): 0, str(2**53 + 1): 1}},
        [(text, str(big)) for text, big in zip(TEXTS, BIG, strict=True)],
    ),
    "texts in the index of pandas": ("a.parquet", indexed, {}, ROWS),
    "other columns of odd types": (
        "a.parquet",
        parquet(
            day=pa.array([253_370_764_800] * len(ROWS), pa.timestamp("s")),
            spans=pa.array([{"from": 1, "to": None}] * len(ROWS)),
            tags=pa.array([[1], None, []] * 4),
        ),
        {},
        ROWS,
    ),
    "a description without features": (
        "a.parquet",
        lambda path: pq.write_table(described(pa.table({"text": TEXTS, "label": NAMES}), {"features": None}), path),
        {},
        ROWS,
    ),
    "shards of other string types": (
        "train",
        shards(
            pa.table({"text": TEXTS[:4], "label": NAMES[:4]}),
            pa.table(
                {"text": pa.array(TEXTS[4:8], pa.large_string()), "label": pa.array(NAMES[4:8]).dictionary_encode()}
            ),
            pa.table({"text": TEXTS[8:], "label": NAMES[8:], "more": [None] * 4}),
        ),
        {},
        ROWS,
    ),
    "shards with numbers as text": (
        "train",
        shards(
            pa.table({"text": TEXTS[:6], "label": NUMBERS[:6]}),
            pa.table({"text": TEXTS[6:], "label": list(map(str, NUMBERS[6:]))}),
        ),
        {},
        DIGITS,
    ),
    "shards beneath marks of patterns": (
        "[tr]*?",
        shards(named_classes(LABELS, slice(5)), named_classes(LABELS, slice(5, 12))),
        {},
        ROWS,
    ),
    "marks of patterns": ("re[1]*?.csv", raw(delimited()), {}, ROWS),
    "keywords as names": ("a.tsv", raw(tabbed(ROWS, ("def", "class"))), NAMED, ROWS),
    "spaces around labels": (
        "a.tsv",
        raw(tabbed([("a", " pos"), ("b", "pos\u00a0"), ("c", "neg ")])),
        {},
        [("a", "pos"), ("b", "pos"), ("c", "neg")],
    ),
    "spaces in labels": ("a.csv", raw(delimited(STARS)), {}, STARS),
    "reals as classes": ("a.csv", raw(delimited([(text, f"{number}.0") for text, number in DIGITS])), {}, DIGITS),
    "pairs": ("a.jsonl", raw(objects(PAIRS, ("text", "other", "label"))), PAIR, PAIRS),
    "signs of other scripts": ("a.csv", raw(delimited(SIGNS)), {}, SIGNS),
    "case": ("a.tsv", raw(tabbed(CASES)), {}, CASES),
    "long texts": ("a.csv.bz2", raw(bz2.compress(delimited(LONG).encode())), {}, LONG),
    "a label on two lines": (
        "a.jsonl",
        raw(objects([("a\rb", "pos\n"), ("c", "neg"), ("d", "pos")])),
        {},
        [("a\rb", "pos"), ("c", "neg"), ("d", "pos")],
    ),
    "a dictionary of numbers with a null": (
        "a.parquet",
        parquet(pa.array([*TEXTS, "none"]), pa.array([*NUMBERS, None], pa.int64()).dictionary_encode()),
        {},
        DIGITS,
    ),
    "a shard of nothing": (
        "train",
        shards(
            pa.table({"text": pa.array([], pa.null()), "label": pa.array([], pa.null())}),
            pa.table({"text": TEXTS, "label": BIG}),
        ),
        {"labels": {str(2**53): 0, str(2**53 + 1): 1}},
        [(text, str(big)) for text, big in zip(TEXTS, BIG, strict=True)],
    ),
    "integers of one shard, reals of another": (
        "train",
        shards(
            pa.table({"text": TEXTS[:6], "label": NUMBERS[:6]}),
            pa.table({"text": TEXTS[6:], "label": pa.array(map(float, NUMBERS[6:]), pa.float32())}),
        ),
        {},
        DIGITS,
    ),
    "numbers that a filter names": (
        "a.parquet",
        parquet(pa.array([*TEXTS, "none"]), pa.array([*NAMES, "pos"]), version=pa.array([2] * 12 + [None])),
        {"keep": {"version": ["2"]}},
        ROWS,
    ),
    "classes whose names are numbers": (
        "a.parquet",
        lambda path: pq.write_table(named_classes(("1", "0"), slice(12)), path),
        {},
        [(text, str(1 - number)) for text, number in zip(TEXTS, NUMBERS, strict=True)],
    ),
    "lines of fastText": ("a.txt", raw("".join(f"__label__{name} {text}\n" for text, name in ROWS)), FAST_TEXT, ROWS),
}
"""Name of the file, its content, its table of data, and the rows that a reader must get."""


@pytest.mark.parametrize("case", READ)
def test_a_strangers_file_is_read_to_its_last_row(tmp_path: Path, case: str) -> None:
    name, write, data, rows = READ[case]
    write(tmp_path / name)
    frame = read(make_task(data, "classification"), tmp_path / name)
    assert read_rows(frame) == rows


VALUES_READ: dict[str, tuple[str, Write]] = {
    "integers": ("a.csv", raw(delimited([(text, int(value)) for text, value in VALUED]))),
    "spaces": ("a.tsv", raw(tabbed([(text, f" {value} ") for text, value in VALUED]))),
    "texts": ("a.jsonl", raw(objects([(text, f"{value:.3e}") for text, value in VALUED]))),
    "decimals": ("a.parquet", parquet(label=pa.array([decimal.Decimal(str(value)) for value in VALUES]))),
    "half reals": ("a.parquet", parquet(label=pa.array(np.array(VALUES, np.float16)))),
    "a column of text in one shard": (
        "train",
        shards(
            pa.table({"text": TEXTS[:6], "label": VALUES[:6]}),
            pa.table({"text": TEXTS[6:], "label": list(map(str, VALUES[6:]))}),
        ),
    ),
}


@pytest.mark.parametrize("case", VALUES_READ)
def test_values_are_read_in_each_form_of_a_number(tmp_path: Path, case: str) -> None:
    name, write = VALUES_READ[case]
    write(tmp_path / name)
    assert read_rows(read(make_task({}, "regression"), tmp_path / name)) == VALUED


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
"""Like `READ`, with the rows that are dropped and the words of a note."""


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
