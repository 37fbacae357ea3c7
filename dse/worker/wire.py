"""Messages between a worker and the process that started it: reading one neither imports nor calls a plugin's code."""

import io
import pickle
from typing import Any

_TRUSTED = {"builtins", "collections", "copyreg", "datetime", "dse", "numpy", "pathlib", "pydantic", "pydantic_core"}
"""Top-level modules whose types may be in a message."""


def is_trusted(module: str) -> bool:
    """Return whether types of a module may be in a message."""
    return module.partition(".")[0] in _TRUSTED


def read(content: bytes) -> Any:
    """Return a pickled message.

    Raises:
        pickle.UnpicklingError: a value in it is of a plugin's own type.
    """
    return _Reader(io.BytesIO(content)).load()


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        value = super().find_class(module, name) if is_trusted(module) else None
        if value is None or (module == "builtins" and not isinstance(value, type)):
            raise pickle.UnpicklingError(f"{module}.{name} is not a type of dse")
        return value
