"""Files of labelled text as strangers write them: rows drawn from a seed, in many formats."""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dse.space.workload import TaskSpec

SEED = 20261129
VOCABULARY = (
    "good",
    "bad,",
    "film",
    "plot;",
    "naïve",
    "кино",
    "«quoted»",
    "50%",
    "it's",
    "#1",
    "NA",
    "\U0001f600",
    "שלם",
)
LABELS = ("neg", "pos")


def draw_rows(count: int) -> list[tuple[str, str]]:
    """Draw different texts of three to six words, each with a label."""
    chance = random.Random(SEED)
    texts = dict.fromkeys(" ".join(chance.choices(VOCABULARY, k=chance.randint(3, 6))) for _ in range(2 * count))
    return [(text, LABELS[at % 2]) for at, text in enumerate(list(texts)[:count])]


ROWS = draw_rows(12)
TEXTS, NAMES = [text for text, _ in ROWS], [label for _, label in ROWS]
NUMBERS = [LABELS.index(name) for name in NAMES]
FAST_TEXT = {"format": "lines", "pattern": r"__label__(?P<label>\S+) (?P<text>.+)"}
"""Table of data for lines of fastText."""
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
Row = tuple[Any, ...]
Write = Callable[[Path], object]


def raw(content: str | bytes, encoding: str = "utf-8") -> Write:
    """Write text or bytes as they are."""
    return lambda path: path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))


def delimited(rows: Iterable[Row] = ROWS, head: Row = ("text", "label"), **dialect: Any) -> str:
    """Return rows as the module csv writes them, beneath a header."""
    out = io.StringIO()
    csv.writer(out, **dialect).writerows([head, *rows])
    return out.getvalue()


def tabbed(rows: Iterable[Row], head: Row = ("text", "label")) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in [head, *rows])


def objects(rows: Iterable[Row] = ROWS, head: Row = ("text", "label"), **more: Any) -> str:
    """Return rows as lines of JSON."""
    return "".join(json.dumps(dict(zip(head, row, strict=True)) | more) + "\n" for row in rows)


def parquet(text: Any = None, label: Any = None, **more: Any) -> Write:
    """Write columns as parquet."""
    columns = {"text": pa.array(TEXTS) if text is None else text, "label": pa.array(NAMES) if label is None else label}
    return lambda path: pq.write_table(pa.table(columns | more), path)


def shards(*tables: pa.Table) -> Write:
    """Write tables as the shards of one."""

    def write(path: Path) -> None:
        for at, table in enumerate(tables):
            pq.write_table(table, path.with_name(f"{path.name}-{at:05}-of-{len(tables):05}.parquet"))

    return write


def described(table: pa.Table, info: Any) -> pa.Table:
    """Return a table with the description that the library datasets would store."""
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": info})})


def named_classes(names: Sequence[str], rows: slice) -> pa.Table:
    features = {"label": {"names": list(names), "_type": "ClassLabel"}, "text": {"dtype": "string", "_type": "Value"}}
    return described(pa.table({"text": TEXTS[rows], "label": NUMBERS[rows]}), {"features": features})


def indexed(path: Path) -> None:
    """Write a table whose texts are its index, as pandas stores it."""
    pd.DataFrame({"text": TEXTS, "label": NAMES}).set_index("text").to_parquet(path)


def write_union(path: Path) -> None:
    """Write a data set of Arrow with a column that pandas has no type for."""
    path.mkdir()
    mixed = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    table = pa.table({"text": ["a", "b"], "label": mixed})
    with pa.ipc.new_stream(str(path / "data-00000-of-00001.arrow"), table.schema) as stream:
        stream.write_table(table)


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", delimited())


def spoil(content: bytes) -> bytes:
    """Return a compressed file with bytes changed in its middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + 8]) + content[middle + 8 :]


def make_task(data: dict[str, Any], kind: str) -> TaskSpec:
    metric = "accuracy" if kind == "classification" else "pearson"
    return TaskSpec.model_validate({"name": "t", "kind": kind, "metric": metric, "data": {"path": "x"} | data})


def read_rows(frame: pd.DataFrame) -> list[Row]:
    """Return text, second text if any row has one, and the name of the label or its value."""
    names = frame.attrs["names"]
    labels = [names[label] if names else label for label in frame["label"]]
    columns = [frame["text"], *([frame["text_b"]] if (frame["text_b"] != "").any() else []), labels]
    return list(zip(*columns, strict=True))
