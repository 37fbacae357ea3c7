"""Files that a plugin reads: those that Python announces as opened while its code runs, and those that dse adds.

Libraries that open files in compiled code, such as safetensors and pyarrow, announce nothing. Files that options name count
by that.
"""

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from dse.files import digest, file_hash, is_file

NO_DATA = (".py", ".pyc", ".so")
"""Endings of code, which counts by other rules."""
SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", sysconfig.get_path("stdlib"), str(Path(__file__).parent))
"""Beginnings of the paths of the system's files, of Python's and of the core's own."""
_heard: ContextVar[tuple[set[Path] | None, bool]] = ContextVar("_heard", default=(None, False))
"""Files so far, and whether opened files are added at present."""


@contextmanager
def heard(files: set[Path] | None = None) -> Iterator[set[Path]]:
    """Give a set to which every file is added that is opened for reading in the context, and that `note` adds."""
    _listen()
    files = set() if files is None else files
    token = _heard.set((files, True))
    try:
        yield files
    finally:
        _heard.reset(token)
        note(*files)


@contextmanager
def unheard() -> Iterator[None]:
    """Add no opened file while the core's own code runs."""
    token = _heard.set((_heard.get()[0], False))
    try:
        yield
    finally:
        _heard.reset(token)


def note(*paths: Path) -> None:
    """Add files on which the result of the plugin that runs depends."""
    files, _ = _heard.get()
    if files is not None:
        files.update(paths)


def note_named(value: Any) -> None:
    """Add the files that a value names, or the values in its lists and tables."""
    if isinstance(value, str | Path) and is_file(value):
        note(Path(value).resolve())
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            note_named(one)


def without_folders(value: Any) -> Any:
    """Return a value with the name alone of each file in it: the content of the file counts, not its place."""
    if isinstance(value, Mapping):
        return {name: without_folders(one) for name, one in value.items()}
    return Path(value).name if isinstance(value, str) and Path(value).suffix and is_file(value) else value


def hashes_of(files: Iterable[Path]) -> dict[str, str]:
    """Return the content hash of files by name; files of the same name have one hash."""
    by_name: dict[str, list[str]] = {}
    for file in sorted(files):
        by_name.setdefault(file.name, []).append(file_hash(file) if file.is_file() else "missing")
    return {name: digest(hashes) for name, hashes in by_name.items()}


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _heard.get()[1] or isinstance(arguments[0], int):
        return
    path, mode, flags = arguments
    if set(mode or "") & set("wxa+") or (not mode and (flags or 0) & (os.O_WRONLY | os.O_RDWR)):
        return
    name = os.path.realpath(os.fsdecode(path))
    if not name.endswith(NO_DATA) and not name.startswith(SYSTEM) and "-packages/" not in name and is_file(name):
        note(Path(name))


@cache
def _listen() -> None:
    """Let Python announce opened files, from the first time that a plugin runs."""
    sys.addaudithook(_hear)
