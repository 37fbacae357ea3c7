"""The wheel that would be published holds everything, and is all that a plugin's author needs.

`make wheel` shows that it works outside the repository.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_every_package_and_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dse").rglob("*.py")}
    code |= {path.relative_to(ROOT / "plugins").as_posix() for path in (ROOT / "plugins" / "dse_plugins").rglob("*.py")}
    spaces = {f"dse/spaces/{path.name}" for path in (ROOT / "spaces").glob("*.toml")}
    assert spaces
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "dse/plugins/templates").rglob("*.template")}
    assert len(templates) == 10
    wanted = (
        code
        | spaces
        | templates
        | {
            "dse/reports/page.css",
            "dse/reports/page.js",
            "dse/space/catalogue.toml",
            "dse/py.typed",
            "dse_plugins/py.typed",
        }
    )
    assert not wanted - names
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"dse", "dse_plugins"}
    assert not [name for name in names if name.endswith(".pyc")]


@pytest.fixture
def fresh(tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An environment made from nothing that has the wheel, what it needs, and pytest."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    spec = importlib.util.spec_from_file_location("dse_fresh_script", ROOT / "scripts" / "fresh.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    sys.modules.pop("setup", None)
    made = script.Fresh(ROOT, tmp_path)
    made.create(ROOT / "constraints.txt", os.environ.get("TORCH_INDEX"), [str(wheel), "pytest"])
    yield made
    shutil.rmtree(tmp_path)  # it is large, and pytest would keep it


def test_a_new_plugin_is_the_three_commands_shown(fresh: Any) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown.splitlines()) == 3
    for line in shown.splitlines():
        fresh.call(line, *shlex.split(line))
