"""Files: written whole or not at all, and identified by the hash of their content."""

import datetime as dt
import glob
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from dse.errors import DseError, PluginContractError, StudyError


def sha256(content: bytes) -> str:
    """Return the sha256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest(value: object) -> str:
    """Return a short sha256 of a value's canonical JSON; arrays count by their type, shape and bytes.

    Raises:
        PluginContractError: a part of the value has no content that JSON or numpy could write.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, DseError):
            raise
        raise _unhashable(f"{type(error).__name__}: {error}") from error
    return sha256(text.encode())[:24]


def _plain(value: Any) -> object:
    """Return what JSON writes in the place of a value that it does not know."""
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return [str(value.dtype), value.shape, sha256(np.ascontiguousarray(value).tobytes())]
    if isinstance(value, PurePath | dt.date | dt.time):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__qualname__, {field.name: getattr(value, field.name) for field in fields(value)}]
    raise _unhashable(f"a value of type {type(value).__name__}")


def _unhashable(found: str) -> PluginContractError:
    return PluginContractError(
        "a part of a key cannot be hashed, so the key could not distinguish results",
        where="the key of a cached result",
        expected="text, numbers, lists, tables with text as keys, dataclasses of these, or numpy arrays of numbers",
        found=found,
        fix="put the content that matters into the key, such as tensor.numpy(), sorted(names) or options.model_dump()",
    )


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_hash(path: Path) -> str:
    """Return `file_digest` of a file, which is read again only if its size or its time of change differs."""
    state = path.stat()
    return _hash_file(path, state.st_size, state.st_mtime_ns)


@cache
def _hash_file(path: Path, size: int, changed_ns: int) -> str:
    del size, changed_ns  # they tell a file that was changed
    return file_digest(path)


def hash_parts(parts: Iterable[bytes | memoryview], *, size: int = 16) -> bytes:
    """Return ``size`` bytes of BLAKE2b over parts that follow one another: fast, for tensors and seeds."""
    content = hashlib.blake2b(digest_size=size)
    for part in parts:
        content.update(part)
    return content.digest()


def is_file(path: Path | str) -> bool:
    """Return whether a file has this path; no file has one that is too long, or that the system cannot write."""
    return os.path.isfile(path)  # noqa: PTH113  # Path.is_file raises for such paths


def is_folder(path: Path | str) -> bool:
    """Return whether a folder has this path; see `is_file`."""
    return os.path.isdir(path)  # noqa: PTH112  # Path.is_dir raises for such paths


def is_special(path: Path | str) -> bool:
    """Return whether a device or a pipe has this path: reading it may never end."""
    return os.path.exists(path) and not is_file(path) and not is_folder(path)  # noqa: PTH110  # see is_file


def has_table(path: Path) -> bool:
    """Return whether a path is a file, a folder that may hold the files of a table, or the beginning of shards' names."""
    return is_file(path) or is_folder(path) or bool(list_shards(path))


def list_shards(path: Path) -> list[Path]:
    """Return the shards of parquet whose names begin with a path, in their order."""
    pattern = f"{glob.escape(path.name)}-*-of-*.parquet"
    return sorted(path.parent.glob(pattern)) if is_folder(path.parent) else []


@contextmanager
def whole_file(
    path: Path,
    *,
    parents: bool = True,
    error: type[DseError] = StudyError,
    message: str = "a file could not be written",
    fix: str = "free disk space or choose another folder with --cache or --results",
) -> Iterator[Path]:
    """Give a temporary path beside ``path``; sync the file and move it into place when the context ends without an error.

    Readers see the old file or the new one. `sweep` removes the half-written files of killed processes.

    Args:
        path: file to write.
        parents: whether to create the folders above the file.
        error: class of the error where the disk refuses.
        message: first line of that error.
        fix: advice of that error to its reader.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.{os.getpid()}.tmp")
    try:
        if parents:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as refusal:
        raise error(f"{message}: {refusal.strerror or refusal}", where=path, fix=fix) from refusal


def make_folder(folder: Path, name: str = "the study's folder", option: str = "--results") -> Path:
    """Create a folder if it is missing; ``option`` names another one.

    Raises:
        StudyError: the disk refuses the folder.
    """
    try:
        str(folder).encode()  # no table can have a path of other bytes
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, UnicodeEncodeError) as refusal:
        reasons = {FileExistsError: "it is not a folder", UnicodeEncodeError: "its name has bytes that are not UTF-8"}
        reason = reasons.get(type(refusal)) or getattr(refusal, "strerror", None) or refusal
        raise StudyError(
            f"{name} cannot be written: {reason}",
            where=folder,
            fix=f"make room there, or choose another folder with {option}",
        ) from refusal
    return folder


def check_new_folder(folder: Path, name: str, *, error: type[DseError], fix: str) -> None:
    """Refuse a folder to write that is neither missing nor empty.

    Args:
        folder: folder to write.
        name: what the folder is, as the error message calls it.
        error: class of the error.
        fix: advice of that error to its reader.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        raise error(
            f"{name} is taken",
            where=folder,
            expected="a folder that does not exist, or an empty one",
            found="a folder with files" if folder.is_dir() else "a file",
            fix=fix,
        )


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file of a study whole or not at all.

    Args:
        path: file to write.
        write: callable that writes everything to the path that it receives.

    Raises:
        StudyError: the disk refuses the file.
    """
    fix = "nothing recorded so far is lost: make room and continue the study"
    with whole_file(path, parents=False, message="a file of the study cannot be written", fix=fix) as temporary:
        write(temporary)
    return path


def write_text_whole(path: Path, text: str) -> Path:
    """Write a text file of a study whole or not at all."""
    return write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def sweep(folder: Path) -> None:
    """Remove the half-written files of processes that were killed."""
    for path in folder.glob(".*.tmp"):
        process = path.name.split(".")[-2]
        if process.isascii() and process.isdigit() and len(process) < 10 and not _lives(int(process)):
            with suppress(OSError):  # a folder of this name is not ours
                path.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
