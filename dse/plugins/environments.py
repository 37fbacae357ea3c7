"""Separate environments: another Python, with packages that never meet those of `dse`, to run a script in."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dse.errors import SetupError
from dse.records.callbacks import MessageCallback, ignore_message

NEWEST = 20
"""Bound of the minor versions of Python 3 that are looked for on the path."""
LINES_SHOWN = 4
_VERSION = "import sys; print(*sys.version_info[:2])"


@dataclass(frozen=True, slots=True)
class Needs:
    """Python, packages and programs that an environment needs.

    Attributes:
        python: oldest version of Python.
        requirements: packages that pip installs.
        compiled: names of requirements that are compiled on this machine instead of installed ready-made.
        programs: programs that compiling needs on the path.
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
        folder: folder of the environment.
        needs: Python, packages and programs that it needs.
        python: program to make it with; by default the first one on the path that is new enough.
        say: callback for progress messages.

    Returns:
        Path of the environment's Python.

    Raises:
        SetupError: no Python is new enough, a program is missing, or pip could not install everything.
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
        SetupError: the script failed.
    """
    return _must([str(python), str(script), *arguments], f"{script.name} failed", "it to end without an error")


def find_python(named: str | None, oldest: tuple[int, int]) -> str:
    """Return the path of a Python that is new enough: the one named, or the oldest of those on the path and of pyenv.

    Raises:
        SetupError: no Python is new enough.
    """
    wanted = f"Python {oldest[0]}.{oldest[1]} or newer"
    if named is not None:
        version = python_version(named)
        if version is None or version < oldest:
            raise SetupError(
                "this Python cannot be used",
                where=named,
                expected=wanted,
                found="no Python that runs" if version is None else f"Python {version[0]}.{version[1]}",
                fix="name another Python with --python",
            )
        return named
    for minor in range(oldest[1], NEWEST):
        for path in _list_pythons(f"{oldest[0]}.{minor}"):
            if python_version(path) == (oldest[0], minor):
                return path
    raise SetupError(
        "there is no Python that is new enough",
        expected=f"{wanted} on the path, as python{oldest[0]}.{oldest[1]}",
        fix="install such a Python, or name its program with --python",
    )


def _list_pythons(version: str) -> Iterator[str]:
    """Yield programs that may be a Python of this version; pyenv's command on the path runs only where a project chose it."""
    path = shutil.which(f"python{version}")
    if path is not None:
        yield path
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def python_version(program: str) -> tuple[int, int] | None:
    """Return the version of a Python, or None where the program is not a Python."""
    try:
        done = subprocess.run([program, "-c", _VERSION], capture_output=True, text=True, check=True, env=_environment())
        major, minor = map(int, done.stdout.split())
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return major, minor


def _must(command: Sequence[str], message: str, expected: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    except OSError as error:
        raise SetupError(message, where=command[0], expected=expected, found=error.strerror) from error
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines
        raise SetupError(
            message,
            where=" ".join(command[:4]),
            expected=expected,
            found=" | ".join(line.strip() for line in errors[-LINES_SHOWN:]) or f"status {done.returncode}",
        )
    return done.stdout


def _environment() -> dict[str, str]:
    """Return the environment's variables, without those that would lead another Python to the packages of this one."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
