"""Records with tensors in safetensors files: integers are packed to the bits they need, other values are unchanged.

A record is spread out by the names of its fields, so a new field of a term needs no change here.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from dse.records.stored import Image, Scaling, Term

Tensors = dict[str, NDArray[Any]]
"""Arrays by name."""
META = "dse"
"""Key of the file's own metadata that holds everything but tensors, as JSON."""
NESTED: dict[str, type] = {"terms": Term, "image": Image, "scaling": Scaling}
"""Records inside `Stored`, by field."""


def write_tensors(path: Path, tensors: Mapping[str, NDArray[Any]], plain: Mapping[str, Any]) -> None:
    """Write arrays, with packed integers, and values that JSON can hold.

    Raises:
        OSError: the disk refused the file.
    """
    packed: dict[str, dict[str, Any]] = {}
    arrays: Tensors = {}
    for name, value in tensors.items():
        arrays[name] = np.asarray(value, order="C")  # safetensors writes memory in its order
        if value.dtype.kind in "iub":
            arrays[name], packed[name] = pack(value)
    # Not `save_file` of safetensors, whose file only its owner may read.
    path.write_bytes(save(arrays, metadata={META: json.dumps({**plain, "packed": packed})}))


def read_tensors(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read the unpacked arrays of a file, and its other values.

    Raises:
        OSError: the file cannot be read.
        KeyError: the file lacks the metadata of `write_tensors`, or a tensor that they name.
        ValueError: the file does not come from `write_tensors`.
    """
    try:
        with safe_open(path, "np") as file:
            plain = json.loads((file.metadata() or {})[META])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    for name, how in plain.pop("packed").items():
        tensors[name] = unpack(tensors[name], **how)
    for name, values in tensors.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"{name} has values that are not finite")
    return tensors, plain


def pack(values: NDArray[Any]) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Pack integers to as many bits as their range needs, the first value in the lowest bits of the first byte.

    Args:
        values: integers or booleans of any shape.

    Returns:
        Bytes, and the arguments of `unpack`: ``bits`` per value, ``low`` (the subtracted minimum), ``shape``, ``dtype``.
    """
    flat = values.reshape(-1).astype(np.int64)
    low, high = (int(flat.min()), int(flat.max())) if flat.size else (0, 0)
    bits = (high - low).bit_length()
    how = {"bits": bits, "low": low, "shape": list(values.shape), "dtype": values.dtype.name}
    if bits == 8:
        return (flat - low).astype(np.uint8), how
    flat -= low
    single = np.empty((flat.size, bits), dtype=np.uint8)
    for bit in range(bits):
        single[:, bit] = (flat >> bit) & 1
    return np.packbits(single.reshape(-1), bitorder="little"), how


def unpack(content: NDArray[np.uint8], *, bits: int, low: int, shape: list[int], dtype: str) -> NDArray[Any]:
    """Unpack the integers that `pack` packed."""
    size = int(np.prod(shape, dtype=np.int64))
    if bits == 8:
        return (content.astype(np.int64) + low).astype(dtype).reshape(shape)
    single = np.unpackbits(content, count=size * bits, bitorder="little").reshape(size, bits)
    values = np.full(size, low, dtype=np.int64)
    for bit in range(bits):
        values += single[:, bit].astype(np.int64) << bit
    return values.astype(dtype).reshape(shape)


def spread(record: Any, prefix: str, tensors: Tensors) -> dict[str, Any]:
    """Add a record's tensors to ``tensors`` under dotted names; return its other fields, without fields of None."""
    plain: dict[str, Any] = {}
    for field in fields(record):
        value, name = getattr(record, field.name), f"{prefix}.{field.name}"
        if isinstance(value, tuple):
            plain[field.name] = [spread(item, f"{name}.{at}", tensors) for at, item in enumerate(value)]
        elif is_dataclass(value):
            plain[field.name] = spread(value, name, tensors)
        elif hasattr(value, "numpy"):
            tensors[name] = value.detach().cpu().numpy()
        elif value is not None:
            plain[field.name] = value.item() if isinstance(value, np.generic) else value
    return plain


def gather(kind: type, prefix: str, plain: Mapping[str, Any], tensors: Tensors) -> Any:
    """Build a record that was spread out.

    Raises:
        KeyError: a field without a default is missing.
    """
    values: dict[str, Any] = {}
    for field in fields(kind):
        name = f"{prefix}.{field.name}"
        if name in tensors:
            values[field.name] = torch.from_numpy(tensors[name])
        elif field.name in plain:
            value = plain[field.name]
            if isinstance(value, list):
                nested = NESTED[field.name]
                value = tuple(gather(nested, f"{name}.{at}", item, tensors) for at, item in enumerate(value))
            elif isinstance(value, dict):
                value = gather(NESTED[field.name], name, value, tensors)
            values[field.name] = value
        elif field.default is MISSING:
            raise KeyError(name)
    return kind(**values)
