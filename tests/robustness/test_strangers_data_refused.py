"""Files of labelled text that cannot be read as a stranger meant them are refused; the words of the reason stand beside each file."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dse.errors import DataError
from dse.models.data.read import read
from dse.models.data.splits import split
from dse.space.workload import TaskSpec
from tests.robustness.conftest import Home, told
from tests.support.data_files import (
    FAST_TEXT,
    LABELS,
    NAMES,
    ROWS,
    TEXTS,
    Write,
    delimited,
    make_task,
    named_classes,
    objects,
    parquet,
    raw,
    shards,
    spoil,
    tabbed,
    write_union,
    write_zip,
)  # fmt: skip

SEMICOLONS = delimited(delimiter=";")
REFUSED: dict[str, tuple[str, Write, dict[str, Any], tuple[str, ...]]] = {
    "semicolons": ("a.csv", raw(SEMICOLONS), {}, ("';'", "between fields", "','")),
    "semicolons alone": ("a.csv", raw("text;label\na;x\nb;y\n"), {}, ("';'", "between fields", "','")),
    "tabs in CSV": ("a.csv", raw(tabbed(ROWS)), {}, (r"'\t'", "format = tsv")),
    "commas in TSV": ("a.txt", raw("text,label\na,x\nb,y\n"), {}, ("','", "format = csv")),
    "names in capitals": ("a.csv", raw(delimited(head=("Text", "Label"))), {}, ("column 'text'", "Text, Label")),
    "names with spaces": ("a.csv", raw(delimited(head=("text", " label"))), {}, ("column 'label'", "' label'")),
    "no names": ("a.csv", raw("a,x\nb,y\n"), {}, ("column 'text'", "a, x")),
    "two columns of labels in CSV": (
        "a.csv",
        raw(delimited([(*row, "x") for row in ROWS], ("text", "label", "label"))),
        {},
        ("two columns", "'label'"),
    ),
    "two columns of texts in TSV": (
        "a.tsv",
        raw(tabbed([("b", *row) for row in ROWS], ("text", "text", "label"))),
        {},
        ("two columns", "'text'"),
    ),
    "two columns of labels in parquet": (
        "a.parquet",
        lambda path: pq.write_table(pa.table([TEXTS, NAMES, NAMES], names=["text", "label", "label"]), path),
        {},
        ("two columns", "'label'"),
    ),
    "two labels in an object": (
        "a.jsonl",
        raw(objects() + '{"text":"a","label":"neg","label":"pos"}'),
        {},
        ("line 13", "'label'", "twice"),
    ),
    "a comment above the names": ("a.csv", raw("# written in May\n" + delimited()), {}, ("a.csv", "line 2")),
    "UTF-16 that no key names": ("a.csv", raw(delimited(), "utf-16"), {}, ("not utf-8", "line 1", "encoding")),
    "UTF-16 without a mark": ("a.csv", raw("text,label\na,x\nb,y\n", "utf-16-le"), {}, ("null", "encoding")),
    "a zip": ("a.csv.zip", write_zip, {}, ("compressed", "gz", "bz2")),
    "a zip as CSV": ("a.csv", write_zip, {}, ("compressed", "unpack")),
    "an xz": ("a.csv.xz", raw(lzma.compress(delimited().encode())), {"format": "csv"}, ("compressed", "gz", "bz2")),
    "a zstd": (
        "a.csv.zst",
        raw(pa.compress(delimited().encode(), "zstd", asbytes=True)),
        {"format": "csv"},
        ("compressed",),
    ),
    "a gz without its ending": (
        "a.csv",
        raw(gzip.compress(delimited().encode())),
        {"encoding": "latin-1"},
        ("compressed", ".gz"),
    ),
    "a spoiled gz": ("a.csv.gz", raw(spoil(gzip.compress(delimited(ROWS * 9).encode()))), {}, ("damaged",)),
    "a spoiled bz2": ("a.csv.bz2", raw(spoil(bz2.compress(delimited().encode()))), {}, ("damaged",)),
    "an array": (
        "a.jsonl",
        raw(json.dumps([{"text": "a", "label": 0}], indent=1)),
        {},
        ("line 1", "array", "one object per line"),
    ),
    "an array on a line": (
        "a.jsonl",
        raw('[{"text": "a", "label": 0}]'),
        {},
        ("line 1", "array", "one object per line"),
    ),
    "another ending": ("a.json", raw(objects()), {}, ("format", "a.json")),
    "columns of ones": (
        "a.csv",
        raw(delimited([("a", 1, 0), ("b", 0, 1)], ("text", "neg", "pos"))),
        {},
        ("column 'label'", "neg, pos"),
    ),
    "lists of ones": (
        "a.parquet",
        parquet(label=pa.array([[1, 0], [0, 1]] * 6)),
        {},
        ("row 1", "column 'label'", "found: ndarray"),
    ),
    "a shard with two columns of labels": (
        "train",
        shards(
            pa.table([TEXTS[:6], NAMES[:6], NAMES[:6]], names=["text", "label", "label"]),
            pa.table({"text": TEXTS[6:], "label": NAMES[6:]}),
        ),
        {},
        ("train-00000-of-00002.parquet", "columns of a shard have the same name", "label, label"),
    ),
    "a union of types": ("set", write_union, {}, ("data-00000-of-00001.arrow", "union")),
    "an integer of many digits": (
        "a.jsonl",
        raw('{"text":"a","label":0}\n{"text":"b","label":' + "9" * 5000 + "}"),
        {},
        ("line 2", "digits"),
    ),
    "deep brackets": ("a.jsonl", raw('{"text":"a","label":' + "[" * 10**5), {}, ("jsonl", "depth")),
    "an empty gz": ("a.csv.gz", raw(b""), {}, ("a.csv.gz",)),
    "gz in gz": ("a.csv.gz", raw(gzip.compress(gzip.compress(delimited().encode()))), {}, ("compressed", "once")),
    "bars between fields": ("a.tsv", raw("text|label\na|x\nb|y\n"), {}, ("'|'", "between fields")),
    "a shard without labels": (
        "train",
        shards(pa.table({"text": TEXTS[:6], "label": NAMES[:6]}), pa.table({"text": TEXTS[6:], "topic": NAMES[6:]})),
        {},
        ("train-00001-of-00002.parquet", "column 'label'", "text, topic"),
    ),
    "a shard without texts": (
        "train",
        shards(pa.table({"body": TEXTS[:6], "label": NAMES[:6]}), pa.table({"text": TEXTS[6:], "label": NAMES[6:]})),
        {},
        ("train-00000-of-00002.parquet", "column 'text'", "body, label"),
    ),
    "shards whose classes are in another order": (
        "train",
        shards(named_classes(LABELS, slice(6)), named_classes(LABELS[::-1], slice(6, 12))),
        {},
        ("classes", "train-00001-of-00002.parquet", "neg, pos", "pos, neg"),
    ),
    "a class beyond its names": (
        "a.parquet",
        lambda path: pq.write_table(named_classes(LABELS[:1], slice(12)), path),
        {},
        ("label", "neg", "1"),
    ),
    "signs as classes": (
        "a.csv",
        raw(delimited([("a", "+1"), ("b", "-1"), ("c", "-1"), ("d", "+1")])),
        {},
        ("found: +1", "-1 mark"),
    ),
    "a pattern that matches nothing": ("a.txt", raw("pos one\nneg two\n"), FAST_TEXT, ("pattern", "no line")),
    "three rows": ("a.csv", raw(delimited(ROWS[:3])), {}, ("too few rows", "of 3 in all")),
}


def read_and_split(task: TaskSpec, path: Path) -> None:
    split(task, read(task, path), where=path)


@pytest.mark.parametrize("case", REFUSED)
def test_a_strangers_file_is_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    name, write, data, words = REFUSED[case]
    write(tmp_path / name)
    with pytest.raises(DataError) as caught:
        read_and_split(make_task(data, "classification"), tmp_path / name)
    said = str(caught.value)
    assert [word for word in (str(tmp_path / name), *words) if word not in said] == [], said


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.csv", raw('text,label\na,"1,5"\nb,2\n'), ("row 1", "'1,5'")),
        ("a.csv", raw("text,label\na,1\nb,50%\n"), ("row 2", "'50%'")),
        ("a.csv", raw("text,label\na,1\nb,nan\n"), ("row 2", "'nan'")),
        ("a.tsv", raw("text\tlabel\na\t1\nb\t1_000\n"), ("row 2", "'1_000'")),
        ("a.parquet", parquet(label=pa.array([1_577_836_800 + at for at in range(12)], pa.timestamp("s"))), ("row 1", "2020")),
    ],
)  # fmt: skip
def test_labels_that_only_look_like_numbers_are_refused(
    tmp_path: Path, name: str, write: Write, words: tuple[str, ...]
) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match="a label of a regression task is not a number") as caught:
        read(make_task({}, "regression"), tmp_path / name)
    assert all(word in str(caught.value) for word in words)


def test_check_refuses_a_strangers_file(home: Home, dse: Any) -> None:
    (home.folder / "a.csv").write_text(delimited(delimiter=";"), encoding="utf-8")
    told(dse("check", home.change("verdict.tsv", "a.csv")), "where: ", "a.csv", "';'", "between fields")
