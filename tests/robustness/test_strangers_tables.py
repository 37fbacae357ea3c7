"""Tables with types as strangers write them, in one file or several, are read to the last row; the rows stand beside each."""

from __future__ import annotations

import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dse.models.data.read import read
from tests.support.data_files import (
    LABELS,
    NAMES,
    NUMBERS,
    ROWS,
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

DIGITS = [(text, str(number)) for text, number in zip(TEXTS, NUMBERS, strict=True)]
BIG = [2**53 + NUMBERS[at] for at in range(len(ROWS))]
VALUES = [float(at % 5) for at in range(len(ROWS))]
VALUED = list(zip(TEXTS, VALUES, strict=True))

READ: dict[str, tuple[str, Write, dict[str, Any], list[Row]]] = {
    "parquet with an ending in capitals": ("A.PARQUET", parquet(), {}, ROWS),
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
}
"""Name of the file, its content, its table of data, and the rows that a reader must get."""


@pytest.mark.parametrize("case", READ)
def test_a_strangers_table_is_read_to_its_last_row(tmp_path: Path, case: str) -> None:
    name, write, data, rows = READ[case]
    try:
        write(tmp_path / name)
    except pa.ArrowNotImplementedError:
        pytest.skip("this pyarrow writes no such table")
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
