from __future__ import annotations

import bz2
import codecs
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.errors import DataError
from dse.models.data import read as data
from dse.models.data.classes import Classes
from dse.space.workload import TaskSpec

Make = Callable[..., TaskSpec]
ROWS = [("The first.", "x"), ("the second", "y"), ("third, one", "x")]
DISTINCT = [
    ["\U0001f600", "\U0001f621", "\U0001f600\U0001f600", "\U0001f44d\U0001f3fb", "\U0001f44d\U0001f3ff"],
    ["\u0915\u093f", "\u0915\u0940", "\u0915\u0941"],  # one consonant with three vowel signs
    ["\u0e01\u0e34", "\u0e01\u0e35", "\u0ba4\u0bbf", "\u0ba4\u0bc0"],
    ["us", "US", "U.S.", "us?", "us!"],
    [":)", ":(", ";)", "+1", "-1", "C++", "C#"],
]
"""Texts whose letters, digits and case alone do not tell them apart."""
NO_TEXT = ["neither text nor a number", "row 2, column 'text'", "expected: text or a number", "found: list"]
CSV = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV.encode()),
        ("a.csv.bz2", bz2.compress(CSV.encode())),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),  # without a time: every process must name its tests alike
        ("a.tsv", b"text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in ROWS).encode()),
        ("a.jsonl", "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS).encode()),
    ],
)
def test_every_format_gives_the_same_table(task: Make, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    table = data.read(task(), tmp_path / name)
    assert list(table["text"]) == [text for text, _ in ROWS]
    assert list(table["label"]) == [0, 1, 0]
    assert set(table["text_b"]) == {""}
    assert set(table["group"]) == {""}


def test_parquet_with_typed_labels(task: Make, tmp_path: Path) -> None:
    pd.DataFrame({"s": ["one", "two"], "y": [1.5, -2.0]}).to_parquet(tmp_path / "a.parquet")
    columns = {"text": "s", "label": "y"}
    read = data.read(
        task(kind="regression", metric="pearson", data={"path": "x", "columns": columns}), tmp_path / "a.parquet"
    )
    assert list(read["label"]) == [1.5, -2.0]


def test_lines_are_read_by_a_pattern_in_their_encoding(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.label"
    path.write_bytes("A:x Où est-il ?\nno match\nB:y How far ?\n".encode("latin-1"))
    pattern = r"^(?P<label>[A-Z]+):\S+ (?P<text>.+)$"
    spec = {"path": "x", "format": "lines", "pattern": pattern, "encoding": "latin-1"}
    table = data.read(task(data=spec), path)
    assert list(table["text"]) == ["Où est-il ?", "How far ?"]
    assert list(table["label"]) == [0, 1]


def test_quotes_entities_filter_and_group_pattern(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text('id\tlabel\ttext\tuse\n7_1\tx\t"open &amp; shut\tyes\n7_2\ty\tother\tyes\n8_1\ty\tdropped\tno\n')
    spec = {
        "path": "x",
        "quoting": False,
        "unescape": True,
        "keep": {"use": ["yes"]},
        "columns": {"group": "id"},
        "group_pattern": "^([^_]+)_",
    }
    table = data.read(task(data=spec), path)
    assert list(table["text"]) == ['"open & shut', "other"]
    assert list(table["group"]) == ["7", "7"]


def test_pairs_are_told_apart_by_both_texts(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,b,label\nq,first,x\nq,second,y\nq,  first,x\n")
    table = data.read(task(data={"path": "x", "columns": {"text_b": "b"}}), path)
    assert list(zip(table["text"], table["text_b"], strict=True)) == [("q", "first"), ("q", "second")]


def test_duplicates_go_and_texts_with_two_labels_go_altogether(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nSame one,x\nSame  one ,x\ntwo faced,x\ntwo faced,y\nother,y\n ,y\n")
    table = data.read(task(), path)
    assert list(table["text"]) == ["Same one", "other"]
    assert list(table["row"]) == [1, 5]
    assert table.attrs["dropped"] == {"unlabelled": 0, "empty": 1, "conflicting": 2, "duplicate": 1}


def test_texts_with_the_same_words_are_duplicates_where_the_space_says_so(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nSame one,x\nsame  ONE!,x\ntwo faced,x\nTwo faced.,y\nother,y\n!?,y\n")
    assert list(data.read(task(data={"path": "x", "same_text": "words"}), path)["text"]) == ["Same one", "other"]
    assert len(data.read(task(), path)) == 6


@pytest.mark.parametrize("texts", DISTINCT)
def test_marks_symbols_case_and_punctuation_tell_texts_apart(task: Make, tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": text, "label": at % 2}) for at, text in enumerate(texts)))
    table = data.read(task(), path)
    assert list(table["text"]) == texts
    assert not any(table.attrs["dropped"].values())


def test_classes_are_named_or_in_order_of_their_names(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text":"a","label":true}\n{"text":"b","label":false}\n')
    assert list(data.read(task(), path)["label"]) == [1, 0]
    path.write_text(path.read_text() + '{"text":"c"}\n')
    assert list(data.read(task(data={"path": "x", "labels": {"True": 0, "False": 1}}), path)["label"]) == [0, 1]


def test_a_missing_class_is_no_class(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text":"a","label":true}\n{"text":"b","label":false}\n{"text":"c"}\n')
    assert list(data.read(task(), path)["label"]) == [1, 0]


def test_rows_without_a_number_to_learn_are_dropped(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,1.5\nb,\nc,-2\n")
    assert list(data.read(task(kind="regression", metric="pearson"), path)["label"]) == [1.5, -2.0]


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("none.csv", None, ["the data file does not exist"]),
        ("a.doc", b"text", ["the format of the data file is not known", "found: a.doc", ".jsonl"]),
        ("a.csv", b"words,label\na,x\n", ["no column for text", "expected: column 'text'", "found: words, label"]),
        ("a.csv", b"text,label\nok,x\nbad \xff,y\n", ["not utf-8 text", "a.csv, line 3", "found: byte 0xff"]),
        ("a.jsonl", b'{"text": "a"', ["cannot be read as jsonl"]),
        ("a.csv", b"text,label\na,x\nb,x\n", ["task 't' has a single label", "at least two different labels"]),
        ("a.jsonl", b'\n{"text": "a",}', ["cannot be read as jsonl: line 2, column"]),
        ("a.jsonl", b"[1]", ["line 1 is not an object"]),
        ("a.jsonl", b'{"text":"a","label":0}\n{"text":["b"],"label":1}', NO_TEXT),
        ("a.jsonl", b'{"text":"a","label":0}\n{"text":"b","label":{"x":1}}', ["row 2, column 'label'", "found: dict"]),
        ("a.jsonl", b'{"text":"a","label":0}\n{"text":"\\ud83d","label":1}', ["row 2", "half of a character"]),
        ("a.tsv", b"text\tlabel\na\tx\tmore\nb\ty\tmore\n", ["Expected 2 fields in line 2, saw 3"]),
        ("a.csv", b"text,label\n,x\n ,y\n", ["task 't' has no usable row", "empty, duplicate and conflicting"]),
    ],
)
def test_what_cannot_be_read_says_why(
    task: Make, tmp_path: Path, name: str, content: bytes | None, texts: list[str]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        data.read(task(), path)
    for text in [*texts, str(path)]:
        assert text in str(caught.value)


def test_an_unknown_encoding_is_named(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    for name in ("utf-99", "utf\x008", "undefined", "hex"):
        with pytest.raises(DataError, match="the encoding is not known") as caught:
            data.read(task(data={"path": "x", "encoding": name}), tmp_path / "a.csv")
        assert f"found: {name!r}" in str(caught.value)


def test_a_regression_label_that_is_no_number_is_shown_with_its_row(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,1\nb,many\n")
    with pytest.raises(DataError) as caught:
        data.read(task(kind="regression", metric="pearson"), tmp_path / "a.csv")
    assert "a.csv, row 2" in str(caught.value)
    assert "found: 'many'" in str(caught.value)


def test_an_infinite_label_is_refused(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,1\nb,inf\n")
    with pytest.raises(DataError, match="not a number"):
        data.read(task(kind="regression", metric="pearson"), tmp_path / "a.csv")


def test_a_null_regression_label_is_missing(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text":"q","label":null}\n{"text":"a","label":1}\n{"text":"b","label":2}\n')
    assert list(data.read(task(kind="regression", metric="pearson"), tmp_path / "a.jsonl")["label"]) == [1.0, 2.0]


def test_a_null_text_counts_as_empty(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text":null,"label":"x"}\n{"text":"a","label":"x"}\n{"text":"b","label":"y"}\n')
    assert list(data.read(task(), tmp_path / "a.jsonl")["text"]) == ["a", "b"]


def test_a_filter_on_a_missing_column_is_an_error_of_ours(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    with pytest.raises(DataError, match="no column"):
        data.read(task(data={"path": "x", "keep": {"nope": ["a"]}}), tmp_path / "a.csv")


def test_a_group_pattern_without_a_group_is_an_error_of_ours(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    spec = {"path": "x", "columns": {"group": "label"}, "group_pattern": "x"}
    with pytest.raises(DataError, match="group_pattern"):
        data.read(task(data=spec), tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv.bz2", "a.csv.gz", "a.parquet"])
def test_a_damaged_file_is_an_error_of_ours(task: Make, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(DataError, match="cannot be read"):
        data.read(task(), tmp_path / name)


def test_a_label_that_the_table_does_not_list_is_refused(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,yes\nb,no\nc,mabye\n")
    spec = task(data={"path": "x", "labels": {"yes": 1, "no": 0}})
    with pytest.raises(DataError, match=r"does not list[\s\S]*one of: yes, no[\s\S]*mabye[\s\S]*keep"):
        data.read(spec, tmp_path / "a.csv")


def test_an_official_report_file_numbers_its_classes_as_the_training_file_does(task: Make, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\na,red\nb,green\nc,blue\n")
    (tmp_path / "dev.csv").write_text("text,label\nd,red\ne,green\n")
    (tmp_path / "odd.csv").write_text("text,label\nd,red\ne,pink\n")
    train = data.read(task(), tmp_path / "train.csv")
    classes = Classes(train.attrs["classes"], tuple(train.attrs["names"]))
    dev = data.read(task(), tmp_path / "dev.csv", classes)
    assert list(dev["label"]) == [2, 1]
    with pytest.raises(DataError, match=r"or its training data, does not list[\s\S]*pink"):
        data.read(task(), tmp_path / "odd.csv", classes)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE)])
def test_a_byte_order_mark_is_no_text(task: Make, tmp_path: Path, name: str, encoding: str, mark: bytes) -> None:
    lines = {
        "a.csv": "text,label\na,x\nb,y\n",
        "a.tsv": "text\tlabel\na\tx\nb\ty\n",
        "a.jsonl": '{"text":"a","label":"x"}\n{"text":"b","label":"y"}\n',
    }
    (tmp_path / name).write_bytes(mark + lines[name].encode(encoding))
    assert list(data.read(task(data={"path": "x", "encoding": encoding}), tmp_path / name)["text"]) == ["a", "b"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_separators_of_unicode_end_no_line(task: Make, tmp_path: Path, separator: str) -> None:
    texts = [f"a{separator}b", "c"]
    for ending in ("\n", "\r\n", "\r"):
        lines = [json.dumps({"text": text, "label": at}, ensure_ascii=False) for at, text in enumerate(texts)]
        plain = separator in "\u2028\u2029\x85"  # JSON escapes the other ones
        assert (separator in lines[0]) == plain
        (tmp_path / "a.jsonl").write_bytes(ending.join(lines).encode())
        assert list(data.read(task(), tmp_path / "a.jsonl")["text"]) == texts
        (tmp_path / "a.tsv").write_bytes(ending.join(["text\tlabel", *(f"{t}\t{t[0]}" for t in texts)]).encode())
        assert list(data.read(task(), tmp_path / "a.tsv")["text"]) == texts


def test_a_quote_mark_in_tsv_swallows_no_line(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('text\tlabel\n"so it begins\tx\nb\ty\nends"\tx\n"whole"\ty\n')
    table = data.read(task(), path)
    assert list(table["text"]) == ['"so it begins', "b", 'ends"', '"whole"']
    assert table.attrs["notes"] == [
        "fields that stand in quote marks: 1; the marks belong to the text, unless quoting = true"
    ]
    quoted = data.read(task(data={"path": "x", "quoting": True}), path)
    assert list(quoted["text"]) == ["so it begins\tx\nb\ty\nends", "whole"]
    (note,) = quoted.attrs["notes"]
    assert note.startswith("fields in quote marks that run over several lines: 1, over 3 lines; if the marks belong")
    assert data.read(task(data={"path": "x", "quoting": False}), path).attrs["notes"] == []


def test_labels_are_stripped_and_blanks_and_minus_one_are_no_class(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\na\t x\nb\ty \nc\t\nd\t  \ne\t-1\nf\t-1.0\n")
    table = data.read(task(), path)
    assert list(table["text"]) == ["a", "b"]
    assert table.attrs["classes"] == {"x": 0, "y": 1}
    assert table.attrs["dropped"]["unlabelled"] == 4
    listed = data.read(task(data={"path": "x", "labels": {"x": 0, "y": 1, "-1": 2}}), path)
    assert list(listed["label"]) == [0, 1, 2, 2]


def test_minus_one_is_a_value_of_a_regression(task: Make, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,-1\nb,1\nc, \n")
    assert list(data.read(task(kind="regression", metric="pearson"), tmp_path / "a.csv")["label"]) == [-1, 1]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_missing_label_does_not_change_the_others(task: Make, tmp_path: Path, name: str) -> None:
    table = pd.DataFrame({"text": list("abc"), "label": [0, 1, None]})  # a column of reals, since a label is missing
    path = tmp_path / name
    writers: dict[str, Any] = {".csv": table.to_csv, ".parquet": table.to_parquet, ".jsonl": table.to_json}
    more = {"orient": "records", "lines": True} if path.suffix == ".jsonl" else {"index": False}
    writers[path.suffix](path, **more)
    for labels in ({}, {"0": 0, "1": 1}, {"0.0": 0, "1.0": 1}):
        read = data.read(task(data={"path": "x", "labels": labels, "keep": {"text": ["a", "b", "c"]}}), path)
        assert read.attrs["classes"] == {"0": 0, "1": 1}
        assert list(read["label"]) == [0, 1]
    assert len(data.read(task(data={"path": "x", "keep": {"label": ["0", "1"]}}), path)) == 2


def test_bytes_and_an_empty_table_of_parquet_are_refused(task: Make, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"text": [b"a", b"b"], "label": [0, 1]}).to_parquet(path)
    with pytest.raises(DataError, match=r"neither text nor a number[\s\S]*found: bytes"):
        data.read(task(), path)
    pd.DataFrame({"text": [], "label": []}).to_parquet(path)
    with pytest.raises(DataError, match="no usable row"):
        data.read(task(), path)


def test_a_folder_and_a_file_that_may_not_be_read_are_named(
    task: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(DataError, match=r"does not exist[\s\S]*found: a folder"):
        data.read(task(), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="does not exist"):
        data.read(task(), tmp_path / ("x" * 5000))
    (tmp_path / "a.csv").write_text(CSV)

    def refuse(error: Exception) -> None:
        def read_bytes(_path: Path) -> bytes:
            raise error

        monkeypatch.setattr(Path, "read_bytes", read_bytes)

    refuse(PermissionError(13, "Permission denied"))
    with pytest.raises(DataError, match="this user may not read it"):
        data.read(task(), tmp_path / "a.csv")
    refuse(MemoryError())
    with pytest.raises(DataError, match="does not fit into memory"):
        data.read(task(), tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("labels", "given", "chosen"),
    [
        (["0.5", "1", "", "-1.0"], {}, ("regression", "spearman")),
        (["0.0", "1.0", ""], {}, ("classification", "accuracy")),
        (["0.5", "x"], {}, ("classification", "accuracy")),
        (["0.5", "1"], {"kind": "classification"}, ("classification", "accuracy")),
        (["0", "1"], {"metric": "pearson"}, ("regression", "pearson")),
        (["0", "1"], {"kind": "regression"}, ("regression", "spearman")),
    ],
)
def test_labels_decide_a_kind_that_nobody_gives(
    task: Make, tmp_path: Path, labels: list[str], given: dict[str, str], chosen: tuple[str, str]
) -> None:
    rows = "".join(f"row {number},{label}\n" for number, label in enumerate(labels))
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    made = data.choose_kind(task(**{"kind": "", "metric": "", **given}), [tmp_path / "a.csv"])
    assert (made.kind, made.metric) == chosen


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_a_packed_file_may_not_unpack_to_any_size(
    task: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    for name in ("MOST_BYTES", "PART_BYTES"):
        monkeypatch.setattr(f"dse.models.data.tables.{name}", 2**10)
    path = tmp_path / f"a.csv{ending}"
    path.write_bytes(pack(CSV.encode() + bytes(2**11)))
    with pytest.raises(DataError, match=rf"unpacks to more than 2 GiB[\s\S]*a\.csv{ending}"):
        data.read(task(), path)
    path.write_bytes(pack(CSV.encode()))
    assert len(data.read(task(), path)) == len(ROWS)


def test_parquet_may_not_unpack_to_any_size(task: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dse.models.data.shards.MOST_BYTES", 2**10)
    pd.DataFrame({"text": ["same"] * 5000, "label": range(5000)}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"unpacks to more than 2 GiB[\s\S]*a\.parquet"):
        data.read(task(), tmp_path / "a.parquet")


@pytest.mark.parametrize("key", ["pattern", "group_pattern"])
def test_a_pattern_that_never_ends_is_refused(
    task: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr("dse.models.patterns.LIMIT_S", 0.05)
    path = tmp_path / "a.csv"
    path.write_text(f"text,label\n{'a' * 60}!,x\n", encoding="utf-8")
    own = {"format": "lines"} if key == "pattern" else {"columns": {"group": "text"}}
    with pytest.raises(DataError, match=r"\(a\|aa\)\+\$' takes longer than 0\.05 s"):
        data.read(task(data={"path": "x", key: "(a|aa)+$", **own}), path)
