"""The append-only log of a study: one JSON object per line, and the only record of what happened.

Every line is written in one piece and flushed to the operating system, so that a killed process loses nothing it has
written; the disk is synced at most once per second, so that a power cut loses at most the last second.
"""

import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from dse.errors import StudyError
from dse.records.callbacks import MessageCallback, ignore_message

Event = dict[str, Any]
SYNC_INTERVAL_S = 1.0
CUT = "restore the log from a backup; or cut it before this line and remove the tables, to repeat the trials from there on"


def damaged_event_error(path: Path, line: int, expected: str, found: object) -> StudyError:
    """Build the error for an event with something wrong in it."""
    message = f"line {line} of the log is damaged"
    return StudyError(message, where=f"{path}:{line}", expected=expected, found=f"{found!r:.80}", fix=CUT)


class StudyLog:
    """Reads a log, repairs a torn end, and appends to it.

    Args:
        path: path of the log, which is created if it does not exist.
        hook: function called before and after each event is written, with the name of that point, such as ``asked:written``.

    Attributes:
        events: events that the log held when it was opened; later ones are in the file alone.
        lines: number of all events.
        note: description of a repair; empty if the log was whole.
    """

    def __init__(self, path: Path, hook: MessageCallback = ignore_message) -> None:
        self.path = path
        self.hook = hook
        self.events, whole = read_events(path)
        self.lines = len(self.events)
        self.note = ""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            fix = "make the folder writable, or name another folder with --results"
            raise StudyError(f"the log cannot be opened: {error.strerror}", where=path, fix=fix) from error
        torn = os.fstat(self._file).st_size - whole
        if torn:
            os.ftruncate(self._file, whole)
            self.note = f"the log ended in the middle of a line: {torn} bytes of an unfinished event were removed"
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, event: Event) -> None:
        """Write one event.

        Raises:
            StudyError: the disk refused the event, or a log cannot hold one of its values.
        """
        name = str(event["event"])
        try:
            line = json.dumps(event, allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        except ValueError as error:
            value = "text that is not Unicode" if isinstance(error, UnicodeError) else "a number that is not finite"
            raise StudyError(f"{value} cannot be recorded", where=f"{self.path}: {name}", found=error) from error
        self.hook(f"{name}:writing")
        try:
            while line:
                line = line[os.write(self._file, line) :]
            self.sync(SYNC_INTERVAL_S)
        except OSError as error:
            fix = "nothing recorded so far is lost: make room and continue the study"
            raise StudyError(f"the log cannot be written: {error.strerror}", where=self.path, fix=fix) from error
        self.lines += 1
        self.hook(f"{name}:written")

    def close(self) -> None:
        """Sync the file to disk and close it."""
        if self._file < 0:
            return
        os.fsync(self._file)
        os.close(self._file)
        self._file = -1

    def sync(self, interval_s: float = 0.0) -> None:
        """Sync the file to disk, unless this was done less than ``interval_s`` ago."""
        now = time.monotonic()
        if now - self._synced >= interval_s:
            os.fsync(self._file)
            self._synced = now


@contextmanager
def pause_garbage_collection() -> Iterator[None]:
    """Collect no garbage in a block: a log makes a million objects that all stay, and Python would check them often."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@pause_garbage_collection()
def read_events(path: Path) -> tuple[list[Event], int]:
    """Read all whole lines of a log, without a last line that has no end; return the events and their size, bytes.

    Raises:
        StudyError: a line is damaged, or the path is not a file.
    """
    if not path.is_file():
        if path.exists():
            raise StudyError("the log is not a file", where=path, expected="a regular file", fix="move it away")
        return [], 0
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    events = []
    for number, line in enumerate(data[:whole].split(b"\n")[:-1], start=1):
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or "event" not in event:
                raise ValueError("no event")  # noqa: TRY301  # handled with the other kinds of damage
            if b"\\u" in line:
                json.dumps(event, ensure_ascii=False).encode()  # half a character would stop the tables
        except (ValueError, RecursionError) as error:
            start = line[:60].decode(errors="replace")
            raise damaged_event_error(path, number, "one JSON object with the key 'event'", start) from error
        events.append(event)
    return events, whole
