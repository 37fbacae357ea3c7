"""Code that a plugin's results depend on: its modules, what these import, lazily or not, and what it is made of."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dse
from dse.plugins.code import code_of

FILES = {
    "__init__.py": "",
    "alone.py": "import json\n\nclass Alone:\n    held = None\n",
    "base.py": "class Base:\n    pass\n",
    "broken.py": "value = 1\n",
    "child.py": "from some import base as above\n\nclass Child(above.Base):\n    pass\n",
    "common.py": "VALUE = 1\n",
    "far.py": "",
    "unused.py": "",
    "plugin.py": "import some.common\n\ndef build(options):\n    from some import far\n    return far\n",
    "kinds/__init__.py": "from ..common import VALUE\nfrom .inner import x\n\ndef build(options):\n    pass\n",
    "kinds/inner.py": "x = 1\n",
    "kinds/other.py": "from some.far import nothing\nimport numpy\n",
}
BARE = """
import dse
{imported}

def build(options):
    return {made}

@dse.hookimpl
def dse_schedulers():
    yield dse.Scheduler(name="mine", summary="", build=build)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "some"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.partition(".")[0] == "some"]:
        monkeypatch.delitem(sys.modules, name)
    importlib.import_module("some")
    return folder


def names_of(package: Path, *parts: object) -> list[str]:
    return [str(path.relative_to(package)) for path in code_of(*parts).files]


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("some.alone", "Alone", ["alone.py"]),
        ("some.plugin", "build", ["plugin.py", "__init__.py", "common.py", "far.py"]),
        ("some.child", "Child", ["child.py", "__init__.py", "base.py"]),
        (
            "some.kinds",
            "build",
            ["kinds/__init__.py", "__init__.py", "common.py", "far.py", "kinds/inner.py", "kinds/other.py"],
        ),
    ],
)
def test_imports_from_the_same_package_count(package: Path, module: str, name: str, expected: list[str]) -> None:
    part = getattr(importlib.import_module(module), name)
    assert names_of(package, part) == expected
    (package / "broken.py").write_text("def (\n")
    assert names_of(package, part) == expected


@pytest.mark.usefixtures("package")
def test_a_release_stands_for_the_code_of_other_packages() -> None:
    kinds = importlib.import_module("some.kinds")
    assert code_of(kinds.build).releases == (f"numpy {np.__version__}",)
    assert code_of(importlib.import_module("some.plugin").build).releases == ()


@pytest.mark.parametrize("hold", [lambda held: held, lambda held: [{"inner": held}], lambda held: lambda: held])
def test_what_a_plugin_wraps_counts(package: Path, hold: Any) -> None:
    alone, child = importlib.import_module("some.alone"), importlib.import_module("some.child")
    plugin = alone.Alone()
    assert names_of(package, alone.Alone, plugin) == ["alone.py"]
    plugin.held = hold(child.Child())
    files = {path.name for path in code_of(alone.Alone, plugin).files}
    assert {"alone.py", "child.py", "base.py"} <= files


def build_mine(file: Path) -> tuple[str, str]:
    """Fingerprint of a bare file's plugin before and after it is built."""
    registry = dse.Registry().add_file(file)
    assert registry.broken == []
    before = registry.fingerprint("scheduler", "mine")
    return before, registry.fingerprint("scheduler", "mine", registry.build("scheduler", "mine"))


def test_a_module_beside_a_bare_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    helper, file = tmp_path / "helper_of_mine.py", tmp_path / "mine.py"
    file.write_text(BARE.format(imported="import helper_of_mine", made="helper_of_mine.VALUE"))
    prints = []
    for value in (1, 1, 2):
        helper.write_text(f"VALUE = {value}\n")
        prints.append(build_mine(file)[0])
    assert prints[0] == prints[1] != prints[2]


def test_a_plugin_that_a_bare_file_wraps_counts(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    record = "dse.Registry().discover().get('scheduler', 'searched')"
    file.write_text(BARE.format(imported="", made=f"[{record}.build({record}.options())]"))
    before, after = build_mine(file)
    assert before != after


def test_compressors_of_differences_depend_on_what_they_share() -> None:
    from dse_plugins.compressors import two_stage

    assert {"two_stage.py", "owners.py"} <= {path.name for path in code_of(two_stage.TwoStage).files}
