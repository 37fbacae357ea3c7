"""Write the answer of a command into a file that the user named."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import OutputError
from dse.files import whole_file
from dse.results.files import LOG, OWN, TRIALS
from dse.results.objectives import read_objectives
from dse.results.read import ALWAYS, read_table
from dse.results.studies import Source

if TYPE_CHECKING:
    import pandas as pd

_MESSAGE = "the file cannot be written"
_FIX = "name a file in a folder that exists and is writable with --out"


def write_output(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file that the user named, whole or not at all; a device or FIFO is written in place, a link is followed.

    Args:
        path: file to write.
        write: callable that writes everything to the path that it receives.

    Raises:
        OutputError: the disk refuses the file, or it belongs to a study.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        if path.exists() and not path.is_file():
            write(path)
            return path
        target = path.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{_MESSAGE}: {reason}", where=path, fix=_FIX) from error
    if target.name in OWN and ((target.parent / LOG).exists() or (target.parent / TRIALS).exists()):
        raise OutputError("this file belongs to a study", where=target, fix="name another file with --out")
    with whole_file(target, parents=False, error=OutputError, message=_MESSAGE, fix=_FIX) as temporary:
        write(temporary)
    return path


def front_columns(sources: Sequence[Source]) -> list[str]:
    """Return `study` and the names of all columns of the fronts of some studies.

    Raises:
        StudyError: a table is damaged.
    """
    names = (name for item in sources for name in read_table(item.pareto)[0].schema.names)
    return list(dict.fromkeys(["study", *names]))


def describe(frame: pd.DataFrame, sources: Sequence[Source]) -> Any:
    """Return a data frame as an Arrow table whose columns have the type and the description that they have in studies.

    A table with everything that a table of a study needs is one: it has the metadata that `dse` reads and `--start` needs.

    Raises:
        StudyError: a table of the studies is damaged.
    """
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    schemas = [read_table(file)[0].schema for item in sources for file in dict.fromkeys((item.trials, item.pareto))]
    fields = {field.name: field for schema in reversed(schemas) for field in schema}
    owns = [(fields.get(field.name, field), field) for field in table.schema]
    described = [own if _is_alike(own.type, field.type) else field for own, field in owns]
    if not schemas:
        return table
    metadata = schemas[0].metadata
    agree = all(schema.metadata[b"objectives"] == metadata[b"objectives"] for schema in schemas)
    needed = {*ALWAYS, *(item.column for item in read_objectives(json.loads(metadata[b"objectives"])))}
    return table.cast(pa.schema(described, metadata=metadata if agree and needed <= set(frame.columns) else None))


def _is_alike(own: Any, actual: Any) -> bool:
    """Return whether values of a data frame's column fit its column in a study; another type has other values."""
    from pyarrow import types

    if types.is_list(own) and types.is_list(actual):
        return _is_alike(own.value_type, actual.value_type)
    # pandas has large texts, and a column without values has no type.
    return bool(own == actual or types.is_null(actual) or (types.is_string(own) and types.is_large_string(actual)))
