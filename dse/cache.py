"""Content-addressed cache: what was made once for a key is never made again, by any study."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.files import digest, whole_file


def default_cache() -> Path:
    """``$DSE_CACHE``, or the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("DSE_CACHE") or platformdirs.user_cache_dir("dse"))


class ArrayCache:
    """Named numpy arrays by key, one .npz file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, kind: str, key: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """Arrays stored for the key, or None; a damaged file counts as none."""
        path = self._path(kind, key)
        try:
            with np.load(path, allow_pickle=False) as data:
                return {name: data[name] for name in data.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
            return None

    def put(self, kind: str, key: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays for the key."""
        with whole_file(self._path(kind, key)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **dict[str, Any](arrays))

    def find_or_make(
        self, kind: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Arrays stored for the key, made and stored first if there are none."""
        found = self.get(kind, key)
        if found is None:
            found = make()
            self.put(kind, key, found)
        return found

    def _path(self, kind: str, key: Mapping[str, Any]) -> Path:
        return self.folder / kind / f"{digest(key)}.npz"
