"""Time that a person waits for an answer that needs no model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.figures import Figure, best_of, measures


@measures("cli.help_s", "cli.plugins_list_s")
def answers() -> Iterator[Figure]:
    """Seconds of a whole process."""
    for name, words in (("cli.help_s", ["--help"]), ("cli.plugins_list_s", ["plugins", "list"])):
        command = [sys.executable, "-m", "dse", *words]
        seconds = best_of(partial(subprocess.run, command, check=True, capture_output=True))
        yield Figure(name, seconds, "s", "<= 0.5", "nothing: whole process, best of five")
