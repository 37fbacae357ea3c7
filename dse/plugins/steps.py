"""The code of a plugin that runs now, noted for a process that watches this one: a process that dies cannot tell."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from pathlib import Path

_SIZE = 240
_FILES: list[int] = []
"""Descriptor of the file that holds the step, if another process watches this one."""


def note_steps_in(descriptor: int) -> None:
    """Note every later step in an open file."""
    _FILES[:] = [descriptor]


@contextmanager
def step(text: str) -> Iterator[None]:
    """Note that a plugin's code runs, such as "compressor 'none', store()", until the context ends.

    Outside a worker, which has both for itself, the working folder stays as it was, and what is printed goes to stderr.
    """
    _write(text)
    with ExitStack() as stack:
        stack.callback(_write, "")
        if not _FILES:
            with suppress(OSError):  # the working folder was deleted, or standard output is closed
                stack.callback(os.chdir, Path.cwd())
                stack.callback(_restore_stdout, os.dup(1))
                os.dup2(2, 1)
            stack.enter_context(redirect_stdout(sys.stderr))
        yield


def _restore_stdout(saved: int) -> None:
    os.dup2(saved, 1)
    os.close(saved)


def read_step(descriptor: int) -> str:
    """Return the step that the process behind a file did last; empty if no plugin's code ran."""
    return os.pread(descriptor, _SIZE, 0).decode("utf-8", "replace").strip()


def _write(text: str) -> None:
    for descriptor in _FILES:
        with suppress(OSError):  # a plugin may close the file, or forbid its process to write
            os.pwrite(descriptor, text.encode("utf-8", "backslashreplace")[:_SIZE].ljust(_SIZE), 0)
