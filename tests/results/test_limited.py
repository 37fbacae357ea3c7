"""Work with a time limit: it is interrupted, and work that ignores this ends with the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from dse.results.limited import is_stuck, run_limited

STUCK = """
import time
from dse.results import limited
limited._GRACE_S = 0.1
from dse.cli.options import add_command, make_group
app = make_group("Tests.")
def ask(limit_s: float) -> None:
    print("begun", flush=True)
    limited.run_limited(lambda: time.sleep(600), lambda: None, limit_s)
add_command(app, ask)
add_command(app, ask, "other")
app()
"""


def test_the_result_and_the_error_of_the_work_are_the_callers() -> None:
    def fail() -> None:
        raise KeyError("mine")

    assert run_limited(lambda: 3, fail, 10) == 3
    with pytest.raises(KeyError, match="mine"):
        run_limited(fail, fail, 10)


def test_work_that_takes_too_long_is_interrupted() -> None:
    asked = threading.Event()
    with pytest.raises(TimeoutError):
        run_limited(asked.wait, asked.set, 0.01)
    assert asked.is_set()
    assert not is_stuck()


@pytest.mark.parametrize(("limit_s", "status"), [(0.1, 1), (600.0, 130)])
def test_work_that_ignores_its_interruption_ends_with_the_command(limit_s: float, status: int) -> None:
    """A command ends after its time limit, and after Ctrl-C, although its work goes on."""
    started = time.monotonic()
    arguments = [sys.executable, "-c", STUCK, "ask", str(limit_s)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        if status == 130:
            os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == status
    assert time.monotonic() - started < 30
