"""Content-addressed cache: arrays that were made once for a key are never made again, by any study."""

import json
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.files import digest, file_hash, whole_file
from dse.opened import heard, note, unheard


def default_cache() -> Path:
    """Return ``$DSE_CACHE``, or the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("DSE_CACHE") or platformdirs.user_cache_dir("dse")).expanduser()


KEYS_VERSION = 4
"""Part of the key of every cached score and array: raised with every change that moves a score or what a key holds.

Version 1, of `dse` 0.1.0, was not a part of the keys. Version 3: the grid of a matrix is the best of all steps.
"""


ORIGIN = "dse.origin"
"""Name, among the stored arrays, of their key and of the hashes of the files that they were made from, by path."""


MOST_RECENT = 2000
"""Largest number of values that `Recent` holds."""


class Recent(dict[Any, Any]):
    """The values that were set last; older ones are dropped."""

    def __setitem__(self, name: Any, value: Any) -> None:
        super().__setitem__(name, value)
        if len(self) > MOST_RECENT:
            del self[next(iter(self))]


def cache_key(key: Mapping[str, Any]) -> str:
    """Return the name under which a score or arrays are cached."""
    return digest([KEYS_VERSION, key])


class ArrayCache:
    """Named numpy arrays by key, one .npz file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @unheard()
    def get(self, kind: str, key: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """Return the arrays stored for the key, or None.

        A damaged file, one that was stored for another key, and one made from changed files count as missing.
        """
        path = self._path(kind, key)
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
            stored_for, hashes = json.loads(str(arrays.pop(ORIGIN)))
            files = {self.folder / name: content for name, content in hashes.items()}
            changed = any(not file.is_file() or file_hash(file) != content for file, content in files.items())
            if changed or stored_for != path.stem:
                return None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            path.unlink(missing_ok=True)
            return None
        note(*files)
        return arrays

    @unheard()
    def put(
        self, kind: str, key: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], files: Iterable[Path] = ()
    ) -> None:
        """Store arrays for the key, with the files that they were made from."""
        path = self._path(kind, key)
        origin = path.stem, self.hash_files(files)
        with whole_file(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **dict[str, Any]({**arrays, ORIGIN: np.array(json.dumps(origin))}))

    def hash_files(self, files: Iterable[Path]) -> dict[str, str]:
        """Return the content hash of files by path; the path of a file in the folder is relative to it."""
        names = {
            str(file.relative_to(self.folder) if file.is_relative_to(self.folder) else file): file for file in files
        }
        return {name: file_hash(file) for name, file in sorted(names.items())}

    def find_or_make(
        self, kind: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays stored for the key; make and store them first if there are no such arrays."""
        arrays = self.get(kind, key)
        if arrays is None:
            with heard() as files:
                arrays = make()
            self.put(kind, key, arrays, files)
        return arrays

    def _path(self, kind: str, key: Mapping[str, Any]) -> Path:
        return self.folder / kind / f"{cache_key(key)}.npz"
