"""Files of a model: its tables in JSON and its tensors, read without running code that a file holds."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor


def read_table(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds a table.

    Raises:
        CheckpointError: the file is damaged, or holds something else.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("a file of a model is no JSON, or cannot be read", where=path, found=error) from error
    if not isinstance(table, dict):
        raise CheckpointError(
            "a file of a model holds no table", where=path, expected="a JSON object", found=type(table).__name__
        )
    return table


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, or of a file of torch that holds nothing but tensors.

    Raises:
        CheckpointError: the file is damaged, or holds more than tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            "a file of weights is a pickle that holds more than tensors; it was not run", where=path
        ) from error
    except (OSError, ValueError, RuntimeError, EOFError, SafetensorError) as error:
        raise CheckpointError("a file of weights is damaged or cut short", where=path, found=error) from error
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise CheckpointError("a file of weights holds more than tensors", where=path, expected="tensors by name")
    return tensors
