"""Makes `.venv` and installs `dse` into it: `make` runs it with any Python, so it needs only the standard library.

It checks the machine before it downloads anything, and recognises a finished set-up in a moment. An interrupted set-up
starts again from the beginning (pip keeps its downloads).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MINIMUM_PYTHON = (3, 11)
NEEDED_GB = 4.0
"""Disk space for a CPU build of torch (2 GB), model, data and fine-tuned tasks (1 GB), and unpacking."""
NEEDED_GPU_GB = 12.0
"""Disk space for an environment with the CUDA build of torch that the public index offers on Linux/x86-64."""

STAMP = "dse-setup.json"
UNFINISHED = "dse-setup-unfinished"
EXTRAS = "dashboard,plots,query"
"""Extras of dse that the commands of README need."""
INSTALLED_TABLES = ("build-system", "project", "dependency-groups")


class SetupProblemError(Exception):
    """A problem that the reader can solve; its message is shown without a traceback."""


def check_python(version: Sequence[int], executable: str) -> None:
    """Refuse a Python that is too old."""
    if tuple(version[:2]) < MINIMUM_PYTHON:
        raise SetupProblemError(
            f"Python is too old\n  expected: {'.'.join(map(str, MINIMUM_PYTHON))} or newer\n"
            f"  found: {'.'.join(map(str, version[:3]))} ({executable})\n"
            "  do: name a newer one, e.g. make run PYTHON=python3.12"
        )


def check_venv(find: Callable[[str], object | None], version: Sequence[int]) -> None:
    """Refuse a Python that cannot make virtual environments."""
    missing = [name for name in ("venv", "ensurepip") if find(name) is None]
    if missing:
        minor = ".".join(map(str, version[:2]))
        raise SetupProblemError(
            f"this Python cannot make a virtual environment: no module {' or '.join(missing)}\n"
            f"  do: on Debian or Ubuntu, apt install python{minor}-venv; elsewhere install a complete Python"
        )


def check_disk(free_gb: float, root: Path, *, gpu_build: bool) -> str | None:
    """Refuse a disk that is too full.

    Returns:
        A warning if there is room only for torch without CUDA and the index may offer the larger build.
    """
    if free_gb < NEEDED_GB:
        raise SetupProblemError(
            f"there is not enough room on the disk\n  where: {root}\n  expected: {NEEDED_GB:.0f} GB free\n"
            f"  found: {free_gb:.1f} GB free\n  do: free more space, or move the checkout to another disk"
        )
    if gpu_build and free_gb < NEEDED_GPU_GB:
        return (
            f"note: {free_gb:.1f} GB are free; if your index offers torch with CUDA, that needs {NEEDED_GPU_GB:.0f} GB. "
            "Without it: make setup TORCH_INDEX=https://download.pytorch.org/whl/cpu"
        )
    return None


def requirements(project: dict[str, Any], groups: Sequence[str]) -> list[str]:
    """Requirements of dependency groups, one by one for pip, since older versions of pip do not know groups."""
    tables = project.get("dependency-groups", {})
    names: list[str] = []
    for group in groups:
        for entry in tables[group]:
            names += [entry] if isinstance(entry, str) else requirements(project, [entry["include-group"]])
    return names


def digest(root: Path, project: dict[str, Any]) -> str:
    """Hash of everything that decides which packages are installed, and of the folder."""
    tables = {name: project.get(name) for name in INSTALLED_TABLES}
    tables["hatch"] = project.get("tool", {}).get("hatch")
    parts = [
        str(root),
        EXTRAS,
        json.dumps(tables, sort_keys=True),
        (root / "constraints.txt").read_text(encoding="utf-8"),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Environment:
    """The virtual environment of one checkout.

    Args:
        root: path of the checkout.
        run: function that runs one command and returns its exit status.
    """

    def __init__(self, root: Path, run: Callable[[list[str]], int]) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.run = run

    def installed(self) -> dict[str, Any]:
        """Return the note of an earlier finished set-up, empty if there is none."""
        if (self.folder / UNFINISHED).exists() or not self.python.exists():
            return {}
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def covers(self, wanted: str, groups: Sequence[str], torch_index: str | None) -> bool:
        """Whether an earlier set-up installed all requested packages."""
        stamp = self.installed()
        return (
            stamp.get("digest") == wanted
            and set(groups) <= set(stamp.get("groups", []))
            and torch_index in (None, stamp.get("torch_index"))
        )

    def create(self) -> None:
        """Make the environment; first delete a damaged or moved environment, or one whose set-up was interrupted."""
        moved = self.installed().get("root", str(self.root)) != str(self.root)
        damaged = self.folder.exists() and not self.python.exists()
        if moved or damaged or (self.folder / UNFINISHED).exists():
            say(
                f"the environment in {self.folder} is incomplete or was made elsewhere: starting again (downloads are kept)"
            )
            shutil.rmtree(self.folder)
        fresh = not self.python.exists()
        self.folder.mkdir(exist_ok=True)
        (self.folder / UNFINISHED).touch()
        if fresh:
            say(f"creating {self.folder}")
            self._must([sys.executable, "-m", "venv", str(self.folder)], "the virtual environment could not be made")

    def install(self, project: dict[str, Any], wanted: str, groups: Sequence[str], torch_index: str | None) -> None:
        """Install `dse`, its requirements and those of the groups, then write a note that the set-up is done."""
        earlier = self.installed()
        all_groups = sorted({*groups, *earlier.get("groups", [])})
        torch_index = torch_index or earlier.get("torch_index")
        self.create()
        pip = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        constraints = ["--constraint", str(self.root / "constraints.txt")]
        failed = (
            "pip could not install everything; its own message is above. Run the same command again: downloads are kept"
        )
        if torch_index:
            say(f"installing torch from {torch_index}")
            self._must([*pip, "--no-deps", *constraints, "--index-url", torch_index, "torch"], failed)
        extra = requirements(project, all_groups)
        say(f"installing dse{' and ' + ', '.join(extra) if extra else ''}: sizes appear as pip finds them")
        self._must([*pip, *constraints, "--editable", f"{self.root}[{EXTRAS}]", *extra], failed)
        stamp = {"root": str(self.root), "digest": wanted, "groups": all_groups, "torch_index": torch_index}
        (self.folder / STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        (self.folder / UNFINISHED).unlink()
        say("set-up is done")

    def _must(self, command: list[str], failed: str) -> None:
        if self.run(command) != 0:
            raise SetupProblemError(failed)


def say(text: str) -> None:
    """Write a line to stderr, since stdout belongs to the command that follows."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def run(command: list[str]) -> int:
    """Run a command with all its output on stderr."""
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode


def read_project(root: Path) -> dict[str, Any]:
    """Read pyproject.toml."""
    import tomllib

    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def setup(environment: Environment, groups: Sequence[str], torch_index: str | None) -> None:
    """Check the machine and install everything, unless that is done."""
    check_python(sys.version_info[:3], sys.executable)
    project = read_project(environment.root)
    wanted = digest(environment.root, project)
    if environment.covers(wanted, groups, torch_index):
        return
    check_venv(find_spec, sys.version_info[:3])
    if not environment.installed():
        free_gb = shutil.disk_usage(environment.root).free / 1e9
        cuda = sys.platform == "linux" and platform.machine() == "x86_64" and not torch_index
        warning = check_disk(free_gb, environment.root, gpu_build=cuda)
        if warning:
            say(warning)
    environment.install(project, wanted, groups, torch_index)


def main() -> int:
    """Read the command line; return an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", action="append", default=[], help="dependency group of pyproject.toml")
    parser.add_argument("--torch-index", default=None, help="package index to take torch from")
    chosen = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    os.environ.pop("PYTHONPATH", None)
    try:
        setup(Environment(root, run), chosen.group, chosen.torch_index or None)
    except SetupProblemError as error:
        say(f"set-up stopped: {error}")
        return 1
    except KeyboardInterrupt:
        say("set-up was interrupted; run the same command again")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
