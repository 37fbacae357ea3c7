"""Errors on the command line: a message on stderr and an exit status; a traceback only with ``--debug``."""

import io
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from dse.errors import DseError, SetupError, shorten
from dse.results.limited import is_stuck

FAILED = 1
INTERRUPTED = 130
DEBUG = "dse.debug"


class ErrorsShown(TyperGroup):
    """Group of commands that turns errors into messages."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Expand `~` at the start of a word or of an option's value: a shell does not after ``=``, nor in quotes."""
        expand = r"^(--[\w-]+=|)(~[^/]*)", lambda home: home[1] + os.path.expanduser(home[2])  # noqa: PTH111  # Path.expanduser raises where there is no such home
        return super().parse_args(ctx, [re.sub(*expand, word) for word in args])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn an error into a message and an exit status, unless ``--debug`` was given."""
        try:
            _check_working_folder()
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("interrupted; what was finished is kept: run the same command again to continue")
            raise _exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader has gone (`dse pareto x | head`): nothing is wrong, and the flush at exit must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FAILED) from None
        except Exception as error:
            if ctx.meta.get(DEBUG) or type(error).__module__.startswith(("click", "typer")):
                raise
            said: Exception = error
            if isinstance(error, OSError) and error.strerror:
                said = DseError(f"the system refuses: {error.strerror}", where=error.filename)
            elif isinstance(error, UnicodeEncodeError):
                said = DseError(
                    "a name has bytes that are not UTF-8", found=ascii(error.object)[:80], fix="rename the file"
                )
            if isinstance(said, DseError) and not said.problems:
                said.where = said.where or f"{ctx.command_path} {ctx.invoked_subcommand}"
            unexpected = (
                f"unexpected error: {type(error).__name__}: {shorten(error)}; run again with --debug for the traceback"
            )
            say(f"error: {said}" if isinstance(said, DseError) else unexpected)
            raise _exit(FAILED) from None


def _check_working_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise SetupError("the working folder was deleted", fix="change to a folder that exists") from error


def _exit(status: int) -> typer.Exit:
    """Return the exit of the command. End the process at once if a query ignores its interruption."""
    if is_stuck():
        os._exit(status)
    return typer.Exit(status)


def leave_threads(status: object) -> None:
    """End the process at once if a thread that a plugin has started would keep it alive for ever."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(not thread.daemon and not thread.name.startswith("ThreadPoolExecutor") for thread in others):
        sys.stdout.flush()
        os._exit(status if isinstance(status, int) else FAILED if status else 0)


def prepare_streams() -> None:
    """Open standard streams that are closed, spell out the characters that their encoding lacks, and bound their width."""
    # Help is padded to the width, so that a thousand million columns would fill the memory.
    os.environ.update({"COLUMNS": "1000"} if len(os.environ.get("COLUMNS", "")) > 4 else {})
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, io.TextIOWrapper(io.FileIO(os.devnull, mode), encoding="utf-8"))
        elif mode == "w":
            getattr(sys, name).reconfigure(errors="backslashreplace")
            os.set_blocking(getattr(sys, name).fileno(), True)  # else what does not fit into a full pipe may get lost


def remember_debug(ctx: typer.Context, value: bool) -> bool:
    """Store in the context whether ``--debug`` was given; the command group reads it from there."""
    ctx.meta[DEBUG] = value
    return value


def say(text: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(text + "\n")
