"""Tables in several files: shards of parquet, and data sets that the library datasets saved."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import TYPE_CHECKING

from dse.errors import DataError
from dse.files import is_file, is_folder

if TYPE_CHECKING:
    import pandas as pd


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
        fix = "put it there, or name the folder that it lies in with --data or $DSE_DATA"
        raise DataError("the data file does not exist", where=path, found=found, fix=fix)
    count = parts[0].stem.split("-of-")[1][:5]
    if len(parts) != int(f"0{count}"):
        raise DataError("shards of the data are missing", where=path, expected=count, found=len(parts))
    return parts


def read_parts(parts: list[Path]) -> pd.DataFrame:
    """Read files of parquet or Arrow as one table; ``attrs["classes"]`` has the names of each column's classes, if stored."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [
        pa.ipc.open_stream(pa.memory_map(str(part))).read_all()
        if part.suffix == ".arrow"
        else pq.read_table(part, use_threads=False)
        for part in parts
    ]
    kinds = json.loads((tables[0].schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    table: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    table.attrs["classes"] = {name: kind["names"] for name, kind in kinds.items() if "names" in kind}
    return table
