"""The worker's side: it builds a problem, answers requests, and ends with the process that sends them.

Requests and answers are pickled objects on a connection between two processes of one program.
"""

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dse.errors import DseError, format_warning
from dse.plugins.call import describe_error
from dse.plugins.steps import note_steps_in
from dse.study.load import load
from dse.worker.wire import is_trusted, read

READY, TOLD, VALUE, RAISED = "ready", "told", "value", "raised"
LOAD, CALL = "load", "call"


def main() -> None:
    """Serve until the other side closes the connection.

    The command line holds the descriptors of the connection and of the file for steps, and the cores to run on. Without
    cores, all cores are used.
    """
    descriptor, steps, *cores = map(int, sys.argv[1:])
    os.set_inheritable(descriptor, False)  # a program that a plugin starts must not keep the connection open
    os.set_inheritable(steps, False)
    note_steps_in(steps)
    if cores:
        _stay_on(cores)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            number, signal.SIG_IGN
        )  # a request to stop is for the process that keeps the log, which ends this one
    _be_first_to_go()
    os.dup2(2, 1)  # prints of a plugin must not mix with the results that the command prints
    warnings.formatwarning = format_warning
    connection = Connection(descriptor)
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, waiting), daemon=True).start()
    _send(connection, (READY,))
    _serve(connection, waiting)


def _serve(connection: Connection, waiting: queue.SimpleQueue[Any]) -> None:
    """Answer one request after the other, as long as the process lives."""
    problem: Any = None

    def tell(*content: Any) -> None:
        _send(connection, (TOLD, *content))

    while True:
        name, arguments, named = waiting.get()
        answer: tuple[Any, ...]
        try:
            if name == LOAD:  # the other side needs the search space and the provenance, but not the problem
                problem, *facts = load(arguments[0], tell)
                answer = (VALUE, facts)
            elif name == CALL:
                function, *rest = arguments
                answer = (VALUE, function(*rest, tell))
            else:
                attribute = getattr(problem, name)
                answer = (VALUE, attribute(*arguments, **named) if callable(attribute) else attribute)
        except BaseException as error:  # also what a plugin raises to leave the program
            answer = (RAISED, *_portable(error))
        _send(connection, answer)


def _send(connection: Connection, answer: tuple[Any, ...]) -> None:
    try:
        content = pickle.dumps(answer)
        read(content)
    except Exception as error:  # a plugin's own value
        refused = DseError(f"a plugin's value cannot leave the worker: {describe_error(error)}")
        content = pickle.dumps((RAISED, refused, ""))
    try:
        connection.send_bytes(content)
    except OSError:  # nobody is left to answer
        os._exit(0)


def _listen(connection: Connection, waiting: queue.SimpleQueue[Any]) -> None:
    """Pass requests on; end the process, even during a computation, when the other side is gone."""
    while True:
        try:
            waiting.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)


def _portable(error: BaseException) -> tuple[BaseException, str]:
    """Return an error that can be sent, and its traceback; a plugin's own error, or one that would end the study, becomes text."""
    trace = "".join(traceback.format_exception(error))
    with suppress(Exception):  # what a plugin's own error does when it is pickled
        content = pickle.dumps(error) if isinstance(error, Exception) and is_trusted(type(error).__module__) else b""
        if type(read(content)) is type(error):
            return error, trace
    return DseError(describe_error(error), where="in the worker process"), trace


def _stay_on(cores: list[int]) -> None:
    """Run on these cores with one thread per core; threads of two workers on one core would wait for each other."""
    with suppress(AttributeError, OSError):  # not every system lets a process choose
        os.sched_setaffinity(0, cores)
    wanted = os.environ.get("OMP_NUM_THREADS", "")  # the user's, or what the process that keeps the log may use
    os.environ["OMP_NUM_THREADS"] = str(min(len(cores), int(wanted) if wanted.isdigit() else len(cores)) or 1)


def _be_first_to_go() -> None:
    """Ask the system to end the worker first if memory runs out, not the process that keeps the log."""
    with suppress(OSError):  # only Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
