"""The table of a sweep: a folder of parts, whose front stands in a file beside it."""

from pathlib import Path
from typing import Any

from dse.files import is_file, is_folder
from dse.results.files import PARETO, TRIALS


def is_sweep(folder: Path) -> bool:
    """Return whether a folder holds a sweep, whose table of trials is a folder of parts."""
    return is_folder(folder / TRIALS) and is_file(folder / PARETO)


def list_parts(folder: Path) -> list[Path]:
    """Return the parts of a sweep's table, in order."""
    return sorted(folder.glob("part-*.parquet"))


def read_parts(folder: Path) -> Any:
    """Read all parts of a sweep, with the front over them as the column ``on_front``."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pa.concat_tables([pq.ParquetFile(part).read(use_threads=False) for part in list_parts(folder)])
    front = pq.ParquetFile(folder.with_name(PARETO)).read(columns=["trial"], use_threads=False)
    return table.append_column("on_front", pc.is_in(table["trial"], front["trial"].combine_chunks()))
