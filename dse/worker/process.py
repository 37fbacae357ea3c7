"""A process that answers requests apart from this one, so that no plugin can crash, block or change this one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Self

from dse.errors import DseError, TimeLimitError, WorkerError
from dse.plugins.steps import read_step
from dse.worker.serve import CALL, RAISED, TOLD
from dse.worker.wire import read

_START_LIMIT_S = 300.0
"""Time that Python has to start; no plugin's code runs before."""


class Worker:
    """A process that answers one request after the other, with a limit on its silence. What it prints goes to stderr.

    Args:
        limit_s: time for which the process may be silent, s.
        report: callback for the messages of the process while it works.
        limit: name of the limit, for messages.
        cores: cores that the process runs on; empty: all cores.

    Raises:
        WorkerError: the process does not start.
    """

    def __init__(
        self, limit_s: float, report: Callable[..., object], *, limit: str = "--time-limit", cores: Sequence[int] = ()
    ) -> None:
        self._limit_s, self._report, self._limit = limit_s, report, limit
        self._connection, theirs = Pipe()
        self._steps, path = mkstemp()
        Path(path).unlink()
        shared = (theirs.fileno(), self._steps)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dse.worker.serve", *map(str, (*shared, *cores))],
            stdin=subprocess.DEVNULL,
            pass_fds=shared,
            env=make_environment(),
            process_group=0,
        )
        theirs.close()  # the worker has a copy; only if no other is left, reading tells that the worker has gone
        self._receive("start", _START_LIMIT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function of a module of `dse` returns in the process; its last argument is the callback ``report``."""
        return self.ask(CALL, function, *arguments)

    def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Send a request and wait for its answer.

        Raises:
            TimeLimitError: the process is silent for too long.
            WorkerError: the process died.
        """
        try:
            self._connection.send((name, arguments, named))
        except OSError:
            raise self._death(name) from None
        while True:
            kind, *content = self._receive(name, self._limit_s)
            if kind == TOLD:
                self._report(*content)
            elif kind == RAISED:
                error, trace = content
                error.add_note(f"in the worker:\n{trace}")
                raise error
            else:
                return content[0]

    def end(self) -> None:
        """End the process, whatever it is doing; nothing can be lost."""
        with suppress(ProcessLookupError):  # also programs that a plugin has started
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._steps)
        with suppress(OSError):  # the other end of a broken pipe is gone already
            self._connection.close()

    def _receive(self, name: str, limit_s: float) -> Any:
        """Wait for the next message of the process."""
        try:  # the system counts milliseconds in 32 bits
            if self._connection.poll(min(limit_s, 2e6)):
                return read(self._connection.recv_bytes())
        except (EOFError, OSError):
            raise self._death(name) from None
        raise TimeLimitError(
            f"the worker was silent for too long{self._place()} and was ended",
            where=f"during: {name}",
            expected=f"an answer or a progress message within {limit_s:g} s ({self._limit})",
            fix=f"fix the plugin that does not return, or raise {self._limit}",
        )

    def _place(self) -> str:
        step = read_step(self._steps)
        return f" in {step}," if step else ""

    def _death(self, name: str) -> DseError:
        status = self._process.wait()
        if status == -signal.SIGKILL:
            cause, fix = "most likely because memory ran out", "leave more memory to the worker"
        else:
            cause, fix = "by itself", "read its last output above"
        return WorkerError(
            f"the worker process died{self._place() or ','} {cause}",
            where=f"during: {name}",
            found=f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}",
            fix=fix,
        )


def make_environment() -> dict[str, str]:
    """Return variables with which a process, begun with -P, imports what this one would, and nothing from its folder."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
