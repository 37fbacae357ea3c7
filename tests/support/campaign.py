"""A campaign of hostile inputs: each case says its outcome beside what it does, and one judge holds for all.

Whatever the outcome, a command ends within the limit, shows no traceback and no unexpected error, tells an error with its
place in few words that no terminal obeys, and changes no file but those that the case names.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dse.cli.app import app
from dse.errors import DseError
from dse.files import sha256

SEED = 20
LIMIT_S = 900
LONGEST_ERROR = 6_000
CONTROL = re.compile(r"[^\n\t\x20-\x7e\x85\xa0-\U0010ffff]")
Words = Sequence[object] | str | Callable[[], object]
Make = Callable[["Home"], Words]


class Home:
    """A folder with a tiny model, its data, a space file and studies, which a case may change.

    Args:
        folder: the folder.
        seed: seed of what the case draws.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.space = folder / "robust.toml"
        self.study = folder / "results" / "robust"

    def change(self, old: str, new: str, path: Path | None = None) -> None:
        """Replace text of a file, by default the space file, or append to it where ``old`` is empty."""
        path = path or self.space
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def list_files(self) -> dict[str, str]:
        """Return what each file is, by its path: the digest of a file's content, the target of a link."""
        states = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_symlink():
                states[name] = f"link to {path.readlink()}"
            elif path.is_file():
                states[name] = sha256(path.read_bytes())
            elif not path.is_dir():
                states[name] = "no file"
        return states


@dataclass
class Outcome:
    """What a command left: its exit status, and what it printed."""

    status: int
    stdout: str
    stderr: str


Check = Callable[[Home, Outcome], object]


@dataclass(frozen=True)
class Case:
    """An input with its outcome.

    Attributes:
        kind: kind of input.
        make: writes the input and returns the command: its words, a line for the shell in which $DSE is `dse`, or a call of
            Python whose result is printed and whose error of dse is told.
        status: exit status; a negative one is a signal.
        told: words that the output must hold.
        writes: patterns of files that the command may write.
        check: further check of the outcome.
        quick: whether every run of the tests makes the case.
    """

    kind: str
    make: Make
    status: int
    told: tuple[str, ...]
    writes: tuple[str, ...] = ()
    check: Check | None = None
    quick: bool = False


@dataclass
class Campaign:
    """The cases of a group of inputs."""

    cases: dict[str, Case] = field(default_factory=dict)

    def case(
        self,
        kind: str,
        status: int,
        *told: str,
        writes: Sequence[str] = (),
        check: Check | None = None,
        quick: bool = False,
    ) -> Callable[[Make], Make]:
        """Add a case under the name of its function."""

        def add(make: Make) -> Make:
            self.add(make.__name__, Case(kind, make, status, told, tuple(writes), check, quick))
            return make

        return add

    def add(self, name: str, case: Case) -> None:
        assert name not in self.cases, name
        self.cases[name] = case

    def list_params(self) -> list[Any]:
        """Return the parameters of a test: the names of the cases, most of them marked `slow`."""
        return [pytest.param(name, marks=pytest.mark.slow, id=name) for name in self.cases]

    def judge(self, name: str, folder: Path) -> None:
        """Make a case in a folder and compare its outcome with the expected one."""
        case = self.cases[name]
        home = Home(folder, SEED + list(self.cases).index(name))
        words = case.make(home)
        before = home.list_files()
        outcome = run_words(words)
        said = f"status {outcome.status}\n{outcome.stdout[-3000:]}\n{outcome.stderr[-6000:]}"
        assert outcome.status == case.status, said
        for part in ("Traceback", "unexpected error", "most recent call last"):
            assert part not in outcome.stdout + outcome.stderr, said
        for text in case.told:
            assert text in outcome.stdout + outcome.stderr, f"{text!r} is not said:\n{said}"
        if outcome.status == 1:
            assert "error: " in outcome.stderr, said
            assert "where: " in outcome.stderr or outcome.stdout, said
        assert len(outcome.stderr) < LONGEST_ERROR, said
        assert not CONTROL.search(outcome.stdout + outcome.stderr), repr(said)
        after = home.list_files()
        changed = [file for file in before.keys() | after.keys() if before.get(file) != after.get(file)]
        spoilt = [file for file in changed if not any(fnmatch(file, pattern) for pattern in case.writes)]
        assert not spoilt, f"these files were changed: {spoilt}\n{said}"
        if case.check:
            case.check(home, outcome)


def run_words(words: Words) -> Outcome:
    if isinstance(words, str):
        return run_shell(words)
    if not callable(words):
        return run(*words)
    with end_after(LIMIT_S):
        try:
            return Outcome(0, f"{words()}", "")
        except DseError as error:
            return Outcome(1, "", f"error: {error}")


def run(*words: object) -> Outcome:
    """Run a command in this process."""
    with end_after(LIMIT_S):
        done = CliRunner().invoke(app, [str(word) for word in words], prog_name="dse")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Outcome(done.exit_code, done.stdout, done.stderr)


def run_shell(line: str) -> Outcome:
    """Run a line in a shell in which $DSE is `dse`, in a session of its own."""
    done = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "DSE": f"{sys.executable} -m dse"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
        start_new_session=True,
    )
    return Outcome(done.returncode, *(text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr)))


@contextmanager
def end_after(limit_s: float) -> Iterator[None]:
    """Fail if the work takes longer than the limit."""

    def fail(*_: object) -> None:
        raise AssertionError(f"the command did not end within {limit_s} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
