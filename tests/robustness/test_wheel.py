"""The wheel that would be published holds everything; `make wheel` shows that it works outside the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

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
    wanted = (
        code
        | spaces
        | {
            "dse/plots/page.css",
            "dse/plots/page.js",
            "dse/workload/catalogue.toml",
            "dse/py.typed",
            "dse_plugins/py.typed",
        }
    )
    assert not wanted - names
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"dse", "dse_plugins"}
    assert not [name for name in names if name.endswith(".pyc")]
