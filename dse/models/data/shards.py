"""Tables in several files: shards of parquet, and data sets that the library datasets saved."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import TYPE_CHECKING

from dse.errors import DataError
from dse.files import is_file, is_folder, is_special
from dse.models.data.labels import list_names
from dse.models.sources import MOST_BYTES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def find_parts(path: Path) -> list[Path]:
    """Return the files of a table, in their order.

    Args:
        path: a file; a folder that ``Dataset.save_to_disk`` wrote; or the beginning of the names of shards, such as ``cola/train``
            for ``cola/train-00000-of-00002.parquet``.

    Raises:
        DataError: there is no such file, or a shard is missing.
    """
    if is_file(path):
        return [path]
    inside = list(path.glob("*")) if is_folder(path) else []
    beside = path.parent.glob(f"{glob.escape(path.name)}-*-of-*.parquet") if is_folder(path.parent) else ()
    parts = sorted(item for item in inside if item.match("data-*-of-*.arrow")) or sorted(beside)
    if not parts:
        names = sorted({item.name.split("-")[0] for item in inside})[:8]
        found = f"a folder with {', '.join(names) or 'nothing'}; name a table in it" if is_folder(path) else None
        found = "a device or a pipe" if is_special(path) else found
        fix = "put it there, or name the folder that it lies in with --data or $DSE_DATA"
        raise DataError("the data file does not exist", where=path, found=found, fix=fix)
    count = parts[0].stem.split("-of-")[1][:5]
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
    import pandas as pd
    import pyarrow as pa

    tables = [
        pa.ipc.open_stream(pa.memory_map(str(part))).read_all() if part.suffix == ".arrow" else _read_parquet(part)
        for part in parts
    ]
    classes: dict[str, list[str]] = {}
    absent: dict[str, tuple[Path, list[str]]] = {}
    columns = {name for table in tables for name in table.column_names}
    for part, table in zip(parts, tables, strict=True):
        if len(parts) > 1 and len(set(table.column_names)) < table.num_columns:
            raise DataError("two columns of a shard have one name", where=part, found=list_names(table.column_names))
        absent |= dict.fromkeys(columns - set(table.column_names), (part, table.column_names))
        for column, names in _stored_classes(table).items():
            if names != classes.setdefault(column, names):
                raise DataError(
                    f"the shards of the data name the classes of column {column!r} differently",
                    where=part,
                    expected=list_names(classes[column]),
                    found=list_names(names),
                )
    # The index of pandas is a column like others, and reals are no place for integers: they merge those beyond 2**53.
    frames = [table.to_pandas(ignore_metadata=True, integer_object_nulls=True) for table in tables]
    whole: pd.DataFrame = pd.concat(frames) if len(frames) > 1 else frames[0]
    whole.attrs = {"classes": classes, "absent": absent}
    return whole


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
    if sum(group.total_byte_size for group in groups) > MOST_BYTES:
        raise DataError(
            "the data file unpacks to more than 2 GiB", where=path, fix="leave out columns that no task needs"
        )
    return file.read(use_threads=False)


def _stored_classes(table: pa.Table) -> dict[str, list[str]]:
    """Return the names of each column's classes, as the library datasets stores them."""
    stored = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    features = (stored.get("info") or {}).get("features") or {}
    return {column: kind["names"] for column, kind in features.items() if "names" in kind}
