"""Run work that a person can interrupt and that a time limit ends."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

Answer = TypeVar("Answer")
_NAME = "dse work with a time limit"
_GRACE_S = 5.0
"""Time for the work to end after its interruption."""


def run_limited(work: Callable[[], Answer], interrupt: Callable[[], None], limit_s: float) -> Answer:
    """Run work in a thread and return its result, so that the main thread can be interrupted.

    Args:
        work: callable to run.
        interrupt: callable that asks the work to end; work that ignores it goes on until the process ends.
        limit_s: time after which the work is interrupted, s.

    Raises:
        TimeoutError: the work did not end in time.
    """
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # the caller's thread raises it
            future.set_exception(error)

    threading.Thread(target=run, name=_NAME, daemon=True).start()
    try:
        return future.result(min(limit_s, threading.TIMEOUT_MAX))
    except (TimeoutError, KeyboardInterrupt):
        interrupt()
        wait([future], _GRACE_S)
        raise


def is_stuck() -> bool:
    """Return whether interrupted work goes on, so that only the end of the process ends it."""
    return any(thread.name == _NAME for thread in threading.enumerate())
