"""Tables in several files: shards of parquet, and data sets that the library datasets saved."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dse.errors import DataError
from dse.files import is_file, is_folder, is_special, list_shards
from dse.models.data.labels import list_names
from dse.models.sources import MOST_BYTES


def find_parts(path: Path) -> list[Path]:
    """Return the files of a table, in their order.

    Args:
        path: a file; a folder that ``Dataset.save_to_disk`` wrote, or one of ``0000.parquet``, ``0001.parquet``, ...; or the
            beginning of the names of shards, such as ``cola/train`` for ``cola/train-00000-of-00002.parquet``.

    Raises:
        DataError: there is no such file, or a shard is missing.
    """
    if is_file(path):
        return [path]
    inside = list(path.glob("*")) if is_folder(path) else []
    numbered = sorted(item for item in inside if re.fullmatch(r"[0-9]{4}\.parquet", item.name))
    parts = sorted(item for item in inside if item.match("data-*-of-*.arrow")) or numbered or list_shards(path)
    if not parts:
        names = sorted({item.name.split("-")[0] for item in inside})[:8]
        found = f"a folder with {', '.join(names) or 'nothing'}; name a table in it" if is_folder(path) else None
        found = "a device or a pipe" if is_special(path) else found
        fix = "put it there, or name the folder that it lies in with --data or $DSE_DATA"
        raise DataError("the data file does not exist", where=path, found=found, fix=fix)
    count = f"{int(parts[-1].stem) + 1}" if parts is numbered else parts[0].stem.split("-of-")[1][:5]
    if len(parts) != int(f"0{count}"):
        raise DataError("shards of the data are missing", where=path, expected=count, found=len(parts))
    return parts


def read_parts(parts: list[Path]) -> pd.DataFrame:
    """Read files of parquet or Arrow as one table.

    Returns:
        Table whose ``attrs`` have the names of each column's ``classes``, if stored, and for each column that a file lacks
        the file and its columns, ``absent``.

    Raises:
        DataError: two files name the classes of a column differently, or a file of several has a name twice.
    """
    tables = [_read_part(part) for part in parts]
    classes: dict[str, list[str]] = {}
    absent: dict[str, tuple[Path, list[str]]] = {}
    columns = {name for table in tables for name in table.column_names}
    for part, table in zip(parts, tables, strict=True):
        if len(parts) > 1 and len(set(table.column_names)) < table.num_columns:
            raise DataError("columns of a shard have the same name", where=part, found=list_names(table.column_names))
        absent |= dict.fromkeys(columns - set(table.column_names), (part, table.column_names))
        for column, names in _stored_classes(table).items():
            if names != classes.setdefault(column, names):
                raise DataError(
                    f"the shards of the data name the classes of column {column!r} differently",
                    where=part,
                    expected=list_names(classes[column]),
                    found=list_names(names),
                )
    # The index of pandas is a column like others, and reals cannot hold integers: they merge those beyond 2**53.
    frames = [table.to_pandas(ignore_metadata=True, integer_object_nulls=True) for table in tables]
    whole: pd.DataFrame = pd.concat(frames) if len(frames) > 1 else frames[0]
    whole.attrs = {"classes": classes, "absent": absent}
    return whole


def _read_part(path: Path) -> pa.Table:
    """Read one file of parquet, or of Arrow's streams."""
    if path.suffix == ".arrow":
        return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
    file = pq.ParquetFile(path)
    groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
    if sum(group.total_byte_size for group in groups) > MOST_BYTES:
        raise DataError(
            "the data file unpacks to more than 2 GiB", where=path, fix="leave out columns that no task needs"
        )
    return file.read(use_threads=False)


def find_classes(path: Path, column: str) -> list[str]:
    """Return the names of a column's classes, in their order, from a file beside the data; empty if there are none.

    The file is ``dataset_info.json``, as the library datasets writes it, or ``README.md`` with a head in YAML, as the hub has it.
    It lies in one of the last three folders of the path. If it describes several configurations, those that the path names count.

    Raises:
        DataError: the file is damaged.
    """
    for file in (folder / name for folder in (path, *path.parents[:2]) for name in ("dataset_info.json", "README.md")):
        try:
            infos = _read_infos(file) if is_file(file) else []
            infos = [info for info in infos if info.get("config_name") in path.parts] or infos
            names = [_name_classes(info.get("features") or {}).get(column, []) for info in infos]
        except Exception as error:  # the parser of YAML has errors of its own
            raise DataError("a file that may name the classes is damaged", where=file, found=error) from error
        if names and names[0] and names.count(names[0]) == len(names):
            return names[0]
    return []


def _read_infos(file: Path) -> list[dict[str, Any]]:
    """Return what a file says about each configuration of a data set."""
    from huggingface_hub import metadata_load

    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        return [json.loads(text)]
    infos = (metadata_load(file) or {}).get("dataset_info", []) if "class_label" in text else []
    return infos if isinstance(infos, list) else [infos]


def _name_classes(features: Any) -> dict[str, list[str]]:
    """Return the names of each column's classes from features in JSON, a table, or in YAML, a list."""
    if isinstance(features, dict):
        return {column: kind["names"] for column, kind in features.items() if "names" in kind}
    labels = [one for one in features if "class_label" in one.get("dtype", "")]
    names = {one["name"]: dict(one["dtype"]["class_label"]["names"]) for one in labels}
    return {column: [table[at] for at in sorted(table, key=int)] for column, table in names.items()}


def _stored_classes(table: pa.Table) -> dict[str, list[str]]:
    """Return the names of each column's classes, as the library datasets stores them."""
    stored = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    return _name_classes((stored.get("info") or {}).get("features") or {})
