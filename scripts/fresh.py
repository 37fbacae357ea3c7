"""Tries `dse` in new environments: `make` runs it, so it needs only the standard library.

`wheel` installs the wheel as a user would, and works with it outside the repository. `lowest` installs the lowest
version of every range that `pyproject.toml` declares, and runs the light tests with it. Each environment is deleted
afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from setup import SetupProblemError, check_disk, check_python, check_venv, read_project, requirements, run, say

HEAVY = ("torch", "transformers")
"""Packages at the version of constraints.txt: only the newest is available as a small build from every index."""
TIED = ("dask", "pydantic-core", "polars-runtime-32")
"""Packages of constraints.txt that are left out: each version of a declared package needs its own of these."""
UNTRIED = (
    "tests/benchmarks",
    "tests/cluster",
    "tests/commands",
    "tests/reproductions",
    "tests/samplers/graybox",
    "tests/setup",
    "tests/testing",
    "tests/models/training/test_finetune.py",
    "tests/models/test_loaded_workload.py",
    "tests/worker",
)
"""Tests that are left to `make test`: they take minutes, test the checks, or test the repository's own tools."""

TRIALS = 3
WRITE_SPACE = "import pathlib, runpy, sys; runpy.run_path(sys.argv[1])['write_space'](pathlib.Path.cwd())"
WHERE = "import json, sys, dse, dse_plugins; print(json.dumps([*sys.path, dse.__file__, dse_plugins.__file__]))"
READ_BACK = """
import json, pandas
trials, front = (pandas.read_parquet(f"results/tiny/{name}.parquet", use_threads=False) for name in ("trials", "pareto"))
print(json.dumps({"done": int((trials["status"] == "done").sum()), "front": len(front)}))
"""


class TrialError(Exception):
    """Something that was tried does not work; the message is shown without a traceback."""


def normal(name: str) -> str:
    """Name of a package in the form that the index compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(project: dict[str, Any]) -> list[str]:
    """Requirements of `dse` and of its extras."""
    tables = project["project"]
    return [
        *tables["dependencies"],
        *(item for extra in tables.get("optional-dependencies", {}).values() for item in extra),
    ]


def lowest(requirement: str) -> tuple[str, str]:
    """Name and lowest version of a requirement such as `optuna>=5.0,<6`."""
    match = re.match(r"\s*([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?([^;]*)", requirement)
    floors = re.findall(r"(?:>=|~=|==)\s*([0-9][0-9A-Za-z.]*)\s*(?:,|$)", match[2].strip()) if match else []
    if match is None or len(floors) != 1:
        raise SetupProblemError(
            f"a requirement in pyproject.toml has no lowest version\n  expected: name>=version\n  found: {requirement}"
        )
    return normal(match[1]), floors[0]


def lowest_constraints(project: dict[str, Any], pinned: str) -> list[str]:
    """Constraints with light requirements at their lowest versions, and all others as in constraints.txt."""
    floors = dict(lowest(item) for item in declared(project))
    floors = {name: version for name, version in floors.items() if name not in HEAVY}
    pins = [line.strip() for line in pinned.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    others = [line for line in pins if normal(line.split("==")[0].strip()) not in {*floors, *TIED}]
    return [*(f"{name}=={version}" for name, version in sorted(floors.items())), *others]


def inside(paths: Iterable[str], folder: Path) -> list[str]:
    """Return the paths that lie in a folder."""
    return [path for path in paths if path and Path(path).resolve().is_relative_to(folder.resolve())]


class Fresh:
    """A virtual environment, and a working folder beside it that is not in the repository.

    Args:
        root: path of the checkout.
        folder: empty folder for the environment and the working folder.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder
        self.work = folder / "work"
        self.bin = folder / "environment" / "bin"
        dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        variables = {name: value for name, value in os.environ.items() if name not in dropped}
        self.variables = {**variables, "HF_HUB_OFFLINE": "1", "PYTHONNOUSERSITE": "1"}

    def create(self, constraints: Path, torch_index: str | None, packages: Sequence[str]) -> None:
        """Make the environment and install packages into it, from wheels only."""
        self.work.mkdir()
        if run([sys.executable, "-m", "venv", str(self.bin.parent)]) != 0:
            raise SetupProblemError("the virtual environment could not be made")
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        pip += ["--constraint", str(constraints)]
        if torch_index:
            self.call("installing torch", "python", *pip, "--no-deps", "--index-url", torch_index, "torch")
        self.call("installing", "python", *pip, *packages)

    def call(self, title: str, program: str, *words: str, root: bool = False) -> None:
        """Run a program of the environment in the working folder or the root, with its output on stderr."""
        self._must(title, program, words, root=root, stdout=sys.stderr)

    def answer(self, title: str, program: str, *words: str) -> Any:
        """Run a program of the environment in the working folder; return the JSON it prints."""
        environment = {**self.variables, "DSE_CACHE": str(self.folder / "cache")}
        return json.loads(self._must(title, program, words, stdout=subprocess.PIPE, environment=environment))

    def _must(
        self,
        title: str,
        program: str,
        words: Sequence[str],
        *,
        stdout: Any,
        root: bool = False,
        environment: dict[str, str] | None = None,
    ) -> str:
        say(f"--- {title}")
        done = subprocess.run(
            [str(self.bin / program), *words],
            cwd=self.root if root else self.work,
            env=environment or self.variables,
            stdout=stdout,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise TrialError(f"{title} failed with status {done.returncode}; its own message is above")
        return done.stdout or ""


def check_plugins(fresh: Fresh, project: dict[str, Any]) -> None:
    """Refuse an installation in which a built-in plugin is missing or does not load."""
    rows = fresh.answer("dse plugins list", "dse", "plugins", "list", "--format", "json")
    laws = [row for row in rows if row["kind"] == "cell_model"]  # the entry point `cells` announces several
    loaded = {row["name"] for row in rows if not row["reason"] and row not in laws}
    wanted = set(project["project"]["entry-points"]["dse"]) - {"cells"}
    if loaded != wanted or len(rows) - len(laws) != len(wanted) or not laws or any(row["reason"] for row in laws):
        raise TrialError(f"dse plugins list\n  expected: {sorted(wanted)}\n  found: {rows}")


def check_study(fresh: Fresh) -> None:
    """Check and run a space with a new tiny model, and read its tables."""
    space = str(fresh.work / "tiny.toml")
    fresh.call("writing a tiny model", "python", "-c", WRITE_SPACE, str(fresh.root / "tests" / "support" / "tiny.py"))
    layers = fresh.answer("dse check", "dse", "check", space, "--device", "cpu", "--format", "json")["layers"]
    if layers != 2:
        raise TrialError(f"dse check\n  expected: 2 layers\n  found: {layers}")
    words = ("run", space, "--device", "cpu", "--trials", str(TRIALS), "--format", "json")
    front = fresh.answer("dse run", "dse", *words)
    read = fresh.answer("reading its tables", "python", "-c", READ_BACK)
    if not front or read != {"done": TRIALS, "front": len(front)}:
        raise TrialError(f"dse run\n  expected: {TRIALS} trials done, a front of {len(front)}, not 0\n  found: {read}")


def check_new_package(fresh: Fresh) -> None:
    """Write a plugin's package, install it and run its tests, with the three commands of docs/plugins.md."""
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    fresh.call("installing pytest", "python", *pip, "pytest")
    for kind in ("generator", "compressor", "scheduler", "hardware"):
        fresh.call("dse plugins new", "dse", "plugins", "new", kind, f"my-{kind}")
        fresh.call("installing the new package", "python", *pip, "--no-deps", "--editable", f"./dse-my-{kind}")
        fresh.call(f"tests of the new {kind}", "pytest", "-q", f"dse-my-{kind}")


def try_wheel(fresh: Fresh, project: dict[str, Any], torch_index: str | None) -> None:
    """Build the wheel, install it with only its requirements, and use it."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    say("--- building the wheel")
    if run([*pip, "--wheel-dir", str(fresh.folder), str(fresh.root)]) != 0:
        raise TrialError("the wheel could not be built; pip's own message is above")
    (wheel,) = fresh.folder.glob("*.whl")
    fresh.create(fresh.root / "constraints.txt", torch_index, [str(wheel)])
    paths = inside(fresh.answer("looking where it is installed", "python", "-c", WHERE), fresh.root)
    if paths:
        raise TrialError(f"the installed wheel takes code from the repository\n  found: {', '.join(paths)}")
    check_plugins(fresh, project)
    check_study(fresh)
    check_new_package(fresh)


def try_lowest(fresh: Fresh, project: dict[str, Any], torch_index: str | None) -> None:
    """Install the lowest declared versions, and run the light tests and a study with them."""
    pinned = (fresh.root / "constraints.txt").read_text(encoding="utf-8")
    constraints = fresh.folder / "lowest.txt"
    constraints.write_text("\n".join(lowest_constraints(project, pinned)) + "\n", encoding="utf-8")
    names = [lowest(item)[0] for item in declared(project)]
    try:
        packages = ["--editable", str(fresh.root), *names, *requirements(project, ["test"])]
        fresh.create(constraints, torch_index, packages)
    except TrialError as error:
        raise TrialError(
            f"{error}\n  The lowest versions that pyproject.toml declares do not go together, or have no wheel for Python "
            f"{sys.version_info.major}.{sys.version_info.minor}\n  do: raise a minimum there, or name an older Python: "
            "make lowest PYTHON=python3.11"
        ) from error
    words = ["-q", "-p", "no:cacheprovider", "-m", "not slow", *(f"--ignore={path}" for path in UNTRIED)]
    words += ["--numprocesses", "auto", "--maxprocesses", "8", "--dist", "worksteal"]
    fresh.call("the light tests", "python", "-m", "pytest", *words, root=True)
    check_plugins(fresh, project)
    check_study(fresh)


def main() -> int:
    """Read the command line; return an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("wheel", "lowest"))
    parser.add_argument("--torch-index", default=None, help="package index to take torch from")
    chosen = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    os.environ.pop("PYTHONPATH", None)
    try:
        check_python(sys.version_info[:3], sys.executable)
        check_venv(find_spec, sys.version_info[:3])
        with tempfile.TemporaryDirectory(prefix="dse-", ignore_cleanup_errors=True) as name:
            check_disk(shutil.disk_usage(name).free / 1e9, Path(name), gpu_build=False)
            fresh = Fresh(root, Path(name).resolve())
            (try_wheel if chosen.kind == "wheel" else try_lowest)(fresh, read_project(root), chosen.torch_index)
    except (SetupProblemError, TrialError) as error:
        say(f"make {chosen.kind} failed: {error}")
        return 1
    except KeyboardInterrupt:
        say(f"make {chosen.kind} was interrupted")
        return 130
    say(f"make {chosen.kind} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
