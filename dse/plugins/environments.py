"""Environments of their own: another Python with packages that never meet those of `dse`, to run a script in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dse.errors import SetupError
from dse.records.callbacks import MessageCallback, ignore_message

NEWEST = 20
"""Minor versions of Python 3 that are looked for on the path."""
LINES_SHOWN = 4
_VERSION = "import sys; print(*sys.version_info[:2])"


@dataclass(frozen=True, slots=True)
class Needs:
    """What an environment is made of.

    Attributes:
        python: oldest version.
        requirements: what pip installs.
        compiled: names of requirements that are compiled on this machine instead of taken ready-made.
        programs: what compiling needs on the path.
    """

    python: tuple[int, int]
    requirements: tuple[str, ...]
    compiled: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


def make_environment(
    folder: Path, needs: Needs, *, python: str | None = None, say: MessageCallback = ignore_message
) -> Path:
    """Make a virtual environment and install packages into it.

    Args:
        folder: where it shall be.
        needs: what it is made of.
        python: program to make it with; by default the first one on the path that is new enough.
        say: told what is being done.

    Returns:
        Its Python.

    Raises:
        SetupError: there is no such Python, a program is missing, or pip could not install everything.
    """
    base = find_python(python, needs.python)
    missing = [program for program in needs.programs if shutil.which(program) is None]
    if missing:
        raise SetupError(
            f"{', '.join(needs.compiled)} cannot be compiled here",
            expected=f"on the path: {', '.join(needs.programs)}",
            found=f"no {' and no '.join(missing)}",
            fix="install a C++ compiler and make, such as Debian's package build-essential",
        )
    say(f"making an environment with {base}")
    _must([base, "-m", "venv", str(folder)], "the environment could not be made", "a Python with venv and ensurepip")
    made = folder / "bin" / "python"
    if not needs.requirements:
        return made
    say(f"installing {', '.join(needs.requirements)}{': compiling takes minutes' if needs.compiled else ''}")
    pip = [str(made), "-m", "pip", "install", "--disable-pip-version-check"]
    own = ["--no-binary", ",".join(needs.compiled)] if needs.compiled else []
    _must(
        [*pip, *own, *needs.requirements],
        "pip could not install what the script needs",
        f"a package index that offers {', '.join(needs.requirements)} for this Python",
    )
    return made


def run_script(python: Path, script: Path, arguments: Iterable[str]) -> str:
    """Run a script in an environment and return what it printed.

    Raises:
        SetupError: it failed.
    """
    return _must([str(python), str(script), *arguments], f"{script.name} failed", "it to end without an error")


def find_python(named: str | None, oldest: tuple[int, int]) -> str:
    """Path of a Python that is new enough: the one named, or the oldest such on the path or of pyenv.

    Raises:
        SetupError: there is none.
    """
    wanted = f"Python {oldest[0]}.{oldest[1]} or newer"
    if named is not None:
        found = python_version(named)
        if found is None or found < oldest:
            raise SetupError(
                "this Python cannot be used",
                where=named,
                expected=wanted,
                found="no Python that runs" if found is None else f"Python {found[0]}.{found[1]}",
                fix="name another one with --python",
            )
        return named
    for minor in range(oldest[1], NEWEST):
        for path in _list_pythons(f"{oldest[0]}.{minor}"):
            if python_version(path) == (oldest[0], minor):
                return path
    raise SetupError(
        "there is no Python that is new enough",
        expected=f"{wanted} on the path, as python{oldest[0]}.{oldest[1]}",
        fix="install one, or name it with --python",
    )


def _list_pythons(version: str) -> Iterator[str]:
    """Programs that may be a Python of this version; pyenv's own on the path runs only where a project chose it."""
    path = shutil.which(f"python{version}")
    if path is not None:
        yield path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def python_version(program: str) -> tuple[int, int] | None:
    """Version of a Python, or None where the program is none."""
    try:
        done = subprocess.run([program, "-c", _VERSION], capture_output=True, text=True, check=True, env=_environment())
        major, minor = map(int, done.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor


def _must(command: Sequence[str], what: str, expected: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    except OSError as error:
        raise SetupError(what, where=command[0], expected=expected, found=error.strerror) from error
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise SetupError(
            what,
            where=" ".join(command[:4]),
            expected=expected,
            found=" | ".join(line.strip() for line in errors[-LINES_SHOWN:]) or f"status {done.returncode}",
        )
    return done.stdout


def _environment() -> dict[str, str]:
    """Variables without those that would lead another Python to this one's packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
