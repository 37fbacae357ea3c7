"""The wheel that would be published holds everything, and works outside the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tiny import write_space

ROOT = Path(__file__).resolve().parents[2]
BUILT_IN = {"independent", "shared-prefix", "none", "two-stage", "fixed", "searched", "isaac"}
pytestmark = pytest.mark.slow


def run(*words: object, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    target = wheel.parent / "installed"
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel, folder=wheel.parent)
    return target


def test_the_wheel_holds_every_package_and_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dse").rglob("*.py")}
    code |= {path.relative_to(ROOT / "plugins").as_posix() for path in (ROOT / "plugins" / "dse_plugins").rglob("*.py")}
    spaces = {f"dse/spaces/{path.name}" for path in (ROOT / "spaces").glob("*.toml")}
    assert spaces
    wanted = code | spaces | {"dse/workload/catalogue.toml", "dse/py.typed", "dse_plugins/py.typed"}
    assert not wanted - names
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"dse", "dse_plugins"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_installed_wheel_finds_its_plugins(installed: Path, tmp_path: Path) -> None:
    out = run("-m", "dse", "plugins", "list", "--format", "json", folder=tmp_path, PYTHONPATH=str(installed))
    rows = json.loads(out)
    assert {row["name"] for row in rows} == BUILT_IN
    assert all(not row["reason"] for row in rows)
    code = "import dse, dse_plugins; print(dse.__file__, dse_plugins.__file__)"
    places = run("-c", code, folder=tmp_path, PYTHONPATH=str(installed)).split()
    assert all(place.startswith(str(installed)) for place in places)


def test_the_installed_wheel_checks_a_space(installed: Path, tmp_path: Path) -> None:
    space = write_space(tmp_path)
    words = ("-m", "dse", "check", space, "--device", "cpu", "--format", "json")
    out = run(*words, folder=tmp_path, PYTHONPATH=str(installed), DSE_CACHE=str(tmp_path / "c"), HF_HUB_OFFLINE="1")
    assert json.loads(out)["layers"] == 2
