from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import dse
import dse.plugin
import dse.testing
from dse.errors import PackageError, UnknownNameError
from dse.records.plugin import KINDS


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def installed(folder: Path) -> str:
    """A path to import the package from as if it were installed: its source, and what its installation would record."""
    table = project(folder)["project"]
    record = folder / "site" / f"{table['name'].replace('-', '_')}-{table['version']}.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {table['name']}\nVersion: {table['version']}\n")
    points = "".join(f"{name} = {module}\n" for name, module in table["entry-points"]["dse"].items())
    (record / "entry_points.txt").write_text(f"[dse]\n{points}")
    return os.pathsep.join([str(folder / "src"), str(record.parent), *sys.path])


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_passes_its_own_test(kind: str, tmp_path: Path) -> None:
    made = dse.plugins_new(kind, "My-new_one", out=tmp_path / "new", description='Says "so" \\ é')
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(made.folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": installed(made.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert all("nothing to test" in line for line in skipped), done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_keeps_its_contract_and_has_options_and_a_parameter(kind: str, working: Path) -> None:
    made = dse.plugins_new(kind, "mine", description='Says "so" \\ é')
    results = dse.plugins_check(made.folder)
    assert {result.outcome for result in results if not result.reason.startswith("nothing to test: ")} == {"passed"}
    (path,) = (working / made.folder).glob("src/*/__init__.py")
    found = dse.plugins_info("mine", plugins=[path])
    assert (found.kind, found.summary, found.undeclared) == (kind, 'Says "so" \\ é', "")
    assert len(found.parameters) == (6 if kind == "hardware" else 1)  # a chip of tiles has five sizes besides
    assert found.options
    assert all(option.meaning for option in found.options)


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
@pytest.mark.parametrize("name", ["a", "one-that-has-a-name-much-longer-than-any-other-plugin-has"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_is_clean(kind: str, name: str, working: Path) -> None:
    made = dse.plugins_new(kind, name)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--target-version", "py311"]
    done = subprocess.run([*command, made.folder], cwd=working, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("kind", KINDS)
def test_only_public_names_are_used(kind: str) -> None:
    for path in dse.plugins_new(kind, "mine").files:
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("dse.") for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("dse"):
                public = {
                    "dse": {"plugin"},
                    "dse.plugin": set(dse.plugin.__all__),
                    "dse.testing": set(dse.testing.__all__),
                }
                assert {alias.name for alias in node.names} <= public[str(node.module)]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "plugin":
                assert path.parent.name == "tests" or node.attr in dse.plugin.__all__


@pytest.mark.usefixtures("working")
def test_names_of_files_package_and_entry_point() -> None:
    made = dse.plugins_new("scheduler", "By_rate-2")
    assert made.folder == Path("dse-by-rate-2")
    assert [str(path.relative_to(made.folder)) for path in made.files] == [
        "pyproject.toml",
        "README.md",
        "src/dse_by_rate_2/__init__.py",
        "tests/test_by_rate_2.py",
    ]
    written = {path for path in made.folder.rglob("*") if path.is_file()}
    assert written == set(made.files)
    table = project(made.folder)["project"]
    assert (table["name"], table["entry-points"]) == ("dse-by-rate-2", {"dse": {"By_rate-2": "dse_by_rate_2"}})
    assert table["description"] == "tasks sorted by rate or by length"
    assert "$" not in "".join(path.read_text(encoding="utf-8") for path in made.files)
    assert EntryPoint("By_rate-2", "dse_by_rate_2", "dse").module == "dse_by_rate_2"


def test_an_empty_folder_is_taken_and_another_is_not_touched(tmp_path: Path) -> None:
    assert dse.plugins_new("scheduler", "mine", out=tmp_path).folder == tmp_path
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        PackageError, match=r"the folder of the new package is taken[\s\S]*a folder with files[\s\S]*--out"
    ):
        dse.plugins_new("generator", "other", out=tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(PackageError, match=r"is taken[\s\S]*found: a file"):
        dse.plugins_new("generator", "other", out=tmp_path / "README.md")
    with pytest.raises(PackageError, match=r"the package cannot be written: .*\n  where: .*README\.md"):
        dse.plugins_new("generator", "other", out=tmp_path / "README.md" / "below")


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("name", ["", "two words", "a.b", "1st", "-a", "a-", "a--b", "a/b", "é", "a\n", "$name"])
def test_a_name_that_no_package_can_have_is_refused(name: str) -> None:
    with pytest.raises(
        PackageError, match=r"a plugin and its package cannot have this name[\s\S]*such as my-plugin[\s\S]*found: "
    ) as caught:
        dse.plugins_new("scheduler", name)
    assert repr(name) in str(caught.value)
    assert not list(Path().iterdir())


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "two-stage",
            r"a plugin called 'two-stage' exists already\n  found: compressor of dse-reram .*\n  do: choose another",
        ),
        ("plugins", r"the name of an installed package\n  found: module dse_plugins"),
        ("reram", r"the name of an installed package\n  found: package dse-reram "),
    ],
)
def test_a_name_that_is_taken_is_refused(name: str, message: str) -> None:
    with pytest.raises(PackageError, match=message):
        dse.plugins_new("scheduler", name)
    assert not list(Path().iterdir())


@pytest.mark.usefixtures("working")
def test_a_name_that_is_switched_off_is_taken_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSE_DISABLE_PLUGINS", "isaac")
    with pytest.raises(PackageError, match=r"'isaac' exists already\n  found: disabled"):
        dse.plugins_new("hardware", "isaac")


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("description", ["two\nlines", " ", "tab\t"])
def test_a_description_that_is_no_line_is_refused(description: str) -> None:
    with pytest.raises(PackageError, match=r"the description is not one line of text"):
        dse.plugins_new("scheduler", "mine", description=description)


def test_a_kind_that_does_not_exist_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no kind of plugin called 'compresor'[\s\S]*did you mean 'compressor'"):
        dse.plugins_new("compresor", "mine")
