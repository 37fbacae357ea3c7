"""Files that a plugin's results depend on: its own, and what these import from the same package, lazily or not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from dse.plugins.code import files_of

FILES = {
    "__init__.py": "",
    "alone.py": "import json\n",
    "common.py": "VALUE = 1\n",
    "far.py": "",
    "unused.py": "",
    "plugin.py": "import some.common\n\ndef build(options):\n    from some import far\n    return far\n",
    "kinds/__init__.py": "from ..common import VALUE\nfrom .inner import x\n",
    "kinds/inner.py": "x = 1\n",
    "kinds/other.py": "from some.far import nothing\n",
    "broken.py": "def (\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "some"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "some", raising=False)
    importlib.import_module("some")
    return folder


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("some.alone", "alone.py", ["alone.py"]),
        ("some.plugin", "plugin.py", ["common.py", "far.py", "plugin.py"]),
        (
            "some.kinds",
            "kinds/__init__.py",
            ["common.py", "far.py", "kinds/__init__.py", "kinds/inner.py", "kinds/other.py"],
        ),
        ("some.broken", "broken.py", ["broken.py"]),
        ("some.gone", "gone.py", []),
    ],
)
def test_imports_from_the_same_package_count(package: Path, module: str, name: str, expected: list[str]) -> None:
    assert [str(path.relative_to(package)) for path in files_of(module, package / name)] == expected


def test_a_file_of_no_package_stands_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import os\n")
    assert files_of("mine_of_no_package", file) == [file]


def test_compressors_of_differences_depend_on_what_they_share() -> None:
    from dse_plugins.compressors import two_stage

    names = {path.name for path in files_of(two_stage.__name__, Path(two_stage.__file__))}
    assert {"two_stage.py", "owners.py"} <= names
