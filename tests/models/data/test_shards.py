"""Tables in several files, and the names of classes that they store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dse.errors import DataError
from dse.models.data.read import read
from dse.models.outputs import Outputs
from dse.space.workload import TaskSpec

Make = Callable[..., TaskSpec]
TEXTS = ["one", "two", "three", "four", "five", "six"]
LABELS = [1, 0, 2, 1, -1, 0]
NAMES = ["neutral", "bad", "good"]


def make_table(rows: slice = slice(None), names: list[str] | None = NAMES) -> pa.Table:
    """Make a table as the library datasets writes it, with the names of its classes in the schema."""
    table = pa.table({"text": TEXTS[rows], "label": pa.array(LABELS[rows], pa.int64())})
    label = {"names": names, "_type": "ClassLabel"} if names else {"dtype": "int64", "_type": "Value"}
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": label}
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def write_shards(folder: Path, name: str = "train") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for at, rows in enumerate((slice(0, 3), slice(3, 4), slice(4, 6))):
        pq.write_table(make_table(rows), folder / f"{name}-0000{at}-of-00003.parquet")
    return folder / name


def write_numbered(folder: Path) -> Path:
    """Write shards as the hub lays out the tables that it makes itself."""
    (folder / "train").mkdir(parents=True)
    for at, rows in enumerate((slice(0, 3), slice(3, 6))):
        pq.write_table(make_table(rows), folder / "train" / f"000{at}.parquet")
    return folder / "train"


def save_to_disk(folder: Path) -> Path:
    """Write the files of ``Dataset.save_to_disk``."""
    folder.mkdir(parents=True)
    for at, rows in enumerate((slice(0, 4), slice(4, 6))):
        table = make_table(rows)
        with pa.ipc.new_stream(str(folder / f"data-0000{at}-of-00002.arrow"), table.schema) as stream:
            stream.write_table(table)
    (folder / "state.json").write_text("{}", encoding="utf-8")
    (folder / "dataset_info.json").write_text("{}", encoding="utf-8")
    return folder


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    names = frame.attrs["names"]
    return [(text, names[label]) for text, label in zip(frame["text"], frame["label"], strict=True)]


@pytest.mark.parametrize("write", [write_shards, write_numbered, save_to_disk])
def test_parts_are_joined_in_the_order_of_their_names_with_the_names_of_classes(
    tmp_path: Path, task: Make, write: Callable[[Path], Path]
) -> None:
    frame = read(task(), write(tmp_path / "set"))
    assert pairs(frame) == [("one", "bad"), ("two", "neutral"), ("three", "good"), ("four", "bad"), ("six", "neutral")]
    assert list(frame["row"]) == [1, 2, 3, 4, 6]
    assert list(frame["label"]) == [1, 0, 2, 1, 0]
    assert frame.attrs["names"] == NAMES
    assert frame.attrs["dropped"]["unlabelled"] == 1


def test_names_of_another_order_in_a_checkpoint_are_matched(tmp_path: Path, task: Make) -> None:
    path = write_shards(tmp_path)
    other = Outputs("tuned", 3, {0: "Bad", 1: "Good", 2: "Neutral"})
    assert list(read(task(), path, outputs=other)["label"]) == [0, 2, 1, 0, 2]
    unnamed = read(task(), path, outputs=Outputs("tuned", 3, {}))
    assert list(unnamed["label"]) == [1, 0, 2, 1, 0]
    with pytest.raises(DataError, match="neither names nor numbers of its checkpoint's outputs"):
        read(task(), path, outputs=Outputs("tuned", 3, {0: "a", 1: "b", 2: "c"}))


@pytest.mark.parametrize("labels", [{"neutral": 2, "bad": 0, "good": 1}, {"0": 2, "1": 0, "2": 1}])
def test_a_table_of_labels_names_classes_or_numbers(tmp_path: Path, task: Make, labels: dict[str, int]) -> None:
    frame = read(task(data={"path": "x", "labels": labels}), write_shards(tmp_path))
    assert list(frame["label"]) == [0, 2, 1, 0, 2]


def test_one_file_of_parquet_has_names_too_and_no_names_are_usual(tmp_path: Path, task: Make) -> None:
    pq.write_table(make_table(), tmp_path / "a.parquet")
    pq.write_table(make_table(names=None), tmp_path / "b.parquet")
    assert read(task(), tmp_path / "a.parquet").attrs["names"] == NAMES
    assert read(task(), tmp_path / "b.parquet").attrs["names"] == ["0", "1", "2"]


def test_a_missing_shard_is_refused(tmp_path: Path, task: Make) -> None:
    path = write_shards(tmp_path)
    (tmp_path / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(DataError, match="shards of the data are missing") as caught:
        read(task(), path)
    assert "expected: 00003\n  found: 2" in str(caught.value)
    path = write_numbered(tmp_path / "numbered")
    (path / "0000.parquet").unlink()
    with pytest.raises(DataError, match="shards of the data are missing") as caught:
        read(task(), path)
    assert "expected: 2\n  found: 1" in str(caught.value)


def write_info(names: list[str]) -> str:
    return json.dumps({"features": {"text": {"dtype": "string"}, "label": {"names": names, "_type": "ClassLabel"}}})


def write_card(names: list[str], config: str = "") -> str:
    """Write the text of a data set's README as the hub has it, with one configuration or with two."""
    table = "".join(f"\n          {at!r}: {name}" for at, name in reversed(list(enumerate(map(str, names)))))
    features = f"features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n      class_label:\n        names:{table}"
    one = f"- config_name: {config}\n  {features}\n- config_name: other\n  features: []" if config else f"  {features}"
    return f"---\nlicense: mit\ndataset_info:\n{one}\n---\n# A card\n"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("cola/train/dataset_info.json", write_info(NAMES)),
        ("cola/dataset_info.json", write_info(NAMES)),
        ("README.md", write_card(NAMES)),
        ("README.md", write_card(NAMES, "cola")),
    ],
)
def test_names_of_classes_beside_the_data_are_labels(tmp_path: Path, task: Make, place: str, text: str) -> None:
    path = tmp_path / "cola" / "train"
    path.mkdir(parents=True)
    pq.write_table(make_table(names=None), path / "0000.parquet")
    (tmp_path / place).write_text(text, encoding="utf-8")
    other = Outputs("tuned", 3, {0: "Bad", 1: "Good", 2: "Neutral"})
    assert read(task(), path).attrs["names"] == NAMES
    assert list(read(task(), path, outputs=other)["label"]) == [0, 2, 1, 0, 2]
    assert list(read(task(data={"path": "x", "labels": {"0": 2, "1": 0, "2": 1}}), path)["label"]) == [0, 2, 1, 0, 2]


@pytest.mark.parametrize(
    "text",
    [
        "# no head, class_label",
        write_card(NAMES[:2]),  # the file has a third class
        write_card(NAMES, "rte"),  # another configuration has other names, or none
        write_card(["-1", "x", "y", "z"]).replace("name: label", "name: mood"),
    ],
)
def test_names_that_belong_to_other_data_are_left_out(tmp_path: Path, task: Make, text: str) -> None:
    pq.write_table(make_table(names=None), tmp_path / "a.parquet")
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert read(task(), tmp_path / "a.parquet").attrs["names"] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("dataset_info.json", "{"), ("dataset_info.json", "[]"), ("README.md", "---\n- class_label: [\n---\n")],
)
def test_a_damaged_file_beside_the_data_is_named(tmp_path: Path, task: Make, name: str, text: str) -> None:
    pq.write_table(make_table(names=None), tmp_path / "a.parquet")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="a file that may name the classes is damaged") as caught:
        read(task(), tmp_path / "a.parquet")
    assert f"where: {tmp_path / name}" in str(caught.value)


def test_a_damaged_part_is_named(tmp_path: Path, task: Make) -> None:
    folder = save_to_disk(tmp_path / "set")
    (folder / "data-00000-of-00002.arrow").write_bytes(b"no arrow")
    with pytest.raises(DataError, match="it is damaged") as caught:
        read(task(), folder)
    assert "data-00000-of-00002.arrow" in str(caught.value)


@pytest.mark.parametrize("fill", [lambda folder: save_to_disk(folder / "train"), write_shards])
def test_a_folder_of_several_tables_lists_them(tmp_path: Path, task: Make, fill: Callable[[Path], Any]) -> None:
    folder = tmp_path / "set.parquet"
    fill(folder)
    with pytest.raises(DataError, match="the data file does not exist") as caught:
        read(task(), folder)
    assert "found: a folder with train; name a table in it" in str(caught.value)
