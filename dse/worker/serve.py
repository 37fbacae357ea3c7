"""The worker's side: it builds a problem, answers requests, and ends with the process that sends them.

Requests and answers are pickles on the worker's stdin and stdout, between two processes of one program.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from dse.errors import WorkerError
from dse.study.load import Request, load

TOLD, VALUE, RAISED = "told", "value", "raised"
LOAD = "load"


def main() -> None:
    """Serve until stdin is closed, on the cores that the command line names."""
    if len(sys.argv) > 1:
        _stay_on([int(core) for core in sys.argv[1].split(",")])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that keeps the log
    _be_first_to_go()
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # prints of a plugin must not mix with the answers
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, waiting), daemon=True).start()
    Server(answers).serve(waiting)


class Server:
    """Server of requests.

    Args:
        answers: stream of pickles ``(kind, ...)``.
    """

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._problem: Any = None

    def serve(self, waiting: queue.SimpleQueue[Any]) -> None:
        """Answer one request after the other, as long as the process lives."""
        while True:
            name, arguments, named = waiting.get()
            answer: tuple[Any, ...]
            try:
                answer = (VALUE, self._answer(name, *arguments, **named))
            except Exception as error:
                answer = (RAISED, *_portable(error))
            self._send(answer)

    def _answer(self, name: str, *arguments: Any, **named: Any) -> Any:
        if name == LOAD:
            return self._load(*arguments)
        attribute = getattr(self._problem, name)
        return attribute(*arguments, **named) if callable(attribute) else attribute

    def _load(self, request: Request) -> tuple[Any, ...]:
        """Build the problem, and return the facts that the other side needs."""
        self._problem, *facts = load(request, lambda text, share: self._send((TOLD, text, share)))
        return tuple(facts)

    def _send(self, answer: tuple[Any, ...]) -> None:
        try:
            pickle.dump(answer, self._answers)
            self._answers.flush()
        except OSError:  # nobody is left to answer
            os._exit(0)


def _listen(requests: IO[bytes], waiting: queue.SimpleQueue[Any]) -> None:
    """Pass requests on; end the process, even during a computation, when the other side is gone."""
    while True:
        try:
            waiting.put(pickle.load(requests))  # noqa: S301  # from the process that started this one
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(0)


def _portable(error: Exception) -> tuple[Exception, str]:
    """Return an error that can be sent, and its traceback; an error that cannot be pickled becomes text."""
    trace = "".join(traceback.format_exception(error))
    with suppress(Exception):
        if isinstance(pickle.loads(pickle.dumps(error)), type(error)):  # noqa: S301  # pickled in this expression
            return error, trace
    return WorkerError(f"{type(error).__name__}: {error}"), trace


def _stay_on(cores: list[int]) -> None:
    """Run on these cores with one thread per core; threads of two workers on one core would wait for each other."""
    with suppress(AttributeError, OSError):  # not every system lets a process choose
        os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = str(len(cores))  # before torch is imported


def _be_first_to_go() -> None:
    """Ask the system to end the worker first if memory runs out, not the process that keeps the log."""
    with suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
