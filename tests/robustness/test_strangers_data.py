"""Files of text as strangers write them are read to the last row; the rows stand beside each file."""

from __future__ import annotations

import bz2
import csv
import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.errors import DataError
from dse.models.data.read import read
from tests.support.data_files import (
    FAST_TEXT,
    LABELS,
    NUMBERS,
    PAIR,
    PAIRS,
    ROWS,
    TEXTS,
    Row,
    Write,
    delimited,
    make_task,
    objects,
    raw,
    read_rows,
    tabbed,
)  # fmt: skip

DIGITS = [(text, str(number)) for text, number in zip(TEXTS, NUMBERS, strict=True)]
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
    "lines of fastText": ("a.txt", raw("".join(f"__label__{name} {text}\n" for text, name in ROWS)), FAST_TEXT, ROWS),
}
"""Name of the file, its content, its table of data, and the rows that a reader must get."""


@pytest.mark.parametrize("case", READ)
def test_a_strangers_file_is_read_to_its_last_row(tmp_path: Path, case: str) -> None:
    name, write, data, rows = READ[case]
    write(tmp_path / name)
    if "null character" in case and int(pd.__version__.split(".")[0]) < 3:
        with pytest.raises(DataError, match="ends a text at a null character"):
            read(make_task(data, "classification"), tmp_path / name)
        return
    frame = read(make_task(data, "classification"), tmp_path / name)
    assert read_rows(frame) == rows
