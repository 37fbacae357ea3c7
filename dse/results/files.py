"""Names of the files in a study's folder, and how to write one whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dse.errors import OutputError, StudyError

TRIALS = "trials.parquet"
PARETO = "pareto.parquet"
SPACE = "space.toml"
PROVENANCE = "provenance.json"
LOG = "log.jsonl"
LOCK = ".lock"


def made_folder(folder: Path) -> Path:
    """Create a study's folder where there is none.

    Raises:
        StudyError: the disk refused it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(
            f"the study's folder cannot be written: {error.strerror}",
            where=folder,
            fix="make room there, or choose another folder with --results",
        ) from error
    return folder


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file of a study whole or not at all.

    Args:
        path: where it shall be.
        write: writes everything to the path it is given.

    Raises:
        StudyError: the disk refused it.
    """
    try:
        put_whole(path, write)
    except OSError as error:
        raise StudyError(
            f"a file of the study cannot be written: {error.strerror or error}",
            where=path,
            fix="nothing recorded so far is lost: make room and continue the study",
        ) from error
    return path


def write_output(path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file that somebody named whole or not at all.

    Args:
        path: where it shall be.
        write: writes everything to the path it is given.

    Raises:
        OutputError: the disk refused it.
    """
    try:
        put_whole(path, write)
    except OSError as error:
        raise OutputError(
            f"the file cannot be written: {error.strerror or error}",
            where=path,
            fix="name a file in a folder that exists and is writable with --out",
        ) from error
    return path


def put_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write under a temporary name, sync, and move into place: readers see the old file or the new one.

    Raises:
        OSError: the disk refused it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what processes that were killed left half written."""
    for path in folder.glob(".*.tmp"):
        process = path.name.split(".")[-2]
        if process.isdigit() and not _lives(int(process)):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_text_whole(path: Path, text: str) -> Path:
    """Write a text file whole or not at all."""
    return write_whole(path, lambda temporary: _write_text(temporary, text))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
