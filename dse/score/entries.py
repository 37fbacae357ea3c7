"""A task's score as another machine sends it: text and arrays of a fixed form, checked before the cache takes them."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import DataError
from dse.score.context import Outcome

Entry = tuple[str, bytes]
"""JSON with the cache key, and hashes of the files that a plugin read; and an npz file with predictions and reach."""
SLACK = 4096
"""Bytes of an npz file beside its numbers."""


def pack_entry(key: str, outcome: Outcome, files: Mapping[str, str]) -> Entry:
    """Write a score.

    Args:
        key: cache key of the score.
        outcome: the score, with the prediction of each row.
        files: content hash by path of each file that a plugin read for it.
    """
    stream = io.BytesIO()
    np.savez(stream, predictions=outcome.predictions, reach=np.array(outcome.reach, dtype=float))
    return json.dumps({"key": key, "files": dict(files)}), stream.getvalue()


def unpack_entry(entry: Entry, key: str, rows: int, layers: int) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the facts and arrays of an entry; nothing is unpickled, and no other form is read.

    Args:
        entry: text and arrays, as they arrived.
        key: cache key of the score that was asked for.
        rows: number of rows that were to be predicted.
        layers: number of encoder layers.

    Raises:
        DataError: the entry has another score or form, or holds numbers that are not finite.
    """
    try:
        text, content = entry
        facts, arrays = json.loads(text), _read_arrays(content, 8 * (rows + layers) + SLACK)
    except Exception as error:  # whatever a damaged file makes the readers raise
        raise refuse_entry("text and arrays as dse writes them", f"{type(error).__name__}: {error}") from error
    if not isinstance(facts, dict) or set(facts) != {"key", "files"} or not isinstance(facts["files"], dict):
        raise refuse_entry("a table with key and files", text[:80])
    if facts["key"] != key:
        raise refuse_entry(f"the score with the key {key}", f"{facts['key']!r:.40}: code, options or weights differ")
    shapes = {name: (array.shape, array.dtype.kind) for name, array in arrays.items()}
    predicted, reach = shapes.get("predictions"), shapes.get("reach")
    kinds = [((rows,), kind) for kind in "if"]
    if len(shapes) != 2 or predicted not in kinds or reach not in [((length,), "f") for length in (0, layers)]:
        raise refuse_entry(f"{rows} predictions, and the reach of 0 or {layers} layers", shapes)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise refuse_entry("finite predictions and reach", "numbers that are not finite")
    return facts, arrays


def refuse_entry(expected: str, found: object) -> DataError:
    """Build the error for an entry that the cache does not take."""
    return DataError("a score from another machine is refused", expected=expected, found=found)


def _read_arrays(content: bytes, most: int) -> dict[str, NDArray[Any]]:
    if len(content) > most:
        raise ValueError(f"{len(content)} bytes, where at most {most} are needed")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:  # a small file may unpack to any size
        size = sum(item.file_size for item in packed.infolist())
        if size > most:
            raise ValueError(f"{size} unpacked bytes, where at most {most} are needed")
    with np.load(io.BytesIO(content), allow_pickle=False) as data:
        return {name: data[name] for name in data.files}
