"""Plugins written for 0.1.0 still load, keep the contract and pass their own tests; the wheel of 0.1.0 is unchanged."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

import dse
import dse.testing

ROOT = Path(__file__).resolve().parents[2]
FROZEN = ROOT / "tests" / "frozen" / "v0_1_0"
BASELINE = ROOT / "benchmarks" / "baseline"
PACKAGES = sorted(FROZEN.glob("dse-my-*"))
FILES = [FROZEN / "backwards.py", *(next(package.glob("src/*/__init__.py")) for package in PACKAGES)]
SLOW = ("dse-my-compressor",)
"""Its contract takes as long as all others together; the compressor that `dse plugins new` writes is checked every time."""
TARGETS = [
    pytest.param(target, id=target.name, marks=[pytest.mark.slow] if target.name in SLOW else [])
    for target in (FILES[0], *PACKAGES)
]


def test_a_package_of_each_kind_is_frozen() -> None:
    assert [package.name.removeprefix("dse-my-") for package in PACKAGES] == sorted(
        set(dse.testing.SUITES) - {"cell_model"}
    )  # new in contract 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FROZEN)))
def test_a_frozen_file_registers_its_plugin(file: Path) -> None:
    with pytest.warns(DeprecationWarning, match="is written for contract 1 of plugins; state api=2") as told:
        registry = dse.Registry().add_file(file)
    assert len(told) == 1
    assert not registry.broken
    assert sum(len(registry.records(kind)) for kind in dse.testing.SUITES) == 1


@pytest.mark.parametrize("target", TARGETS)
def test_a_frozen_plugin_keeps_its_contract(target: Path) -> None:
    results = dse.plugins_check(target)
    assert results
    faults = [result for result in results if result.outcome != "passed" and "nothing to test" not in result.reason]
    assert [result.as_dict() for result in faults] == []


def installed(package: Path, site: Path) -> list[str]:
    """Record the package's installation in a folder; return the paths that make it importable."""
    table = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    record = site / f"{table['name'].replace('-', '_')}-{table['version']}.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {table['name']}\nVersion: {table['version']}\n")
    points = "".join(f"{name} = {module}\n" for name, module in table["entry-points"]["dse"].items())
    (record / "entry_points.txt").write_text(f"[dse]\n{points}")
    return [str(package / "src"), str(site)]


@pytest.mark.slow
def test_frozen_packages_pass_their_own_tests(tmp_path: Path) -> None:
    paths = [path for package in PACKAGES for path in installed(package, tmp_path / package.name)]
    tests = [str(next(package.glob("tests/test_*.py"))) for package in PACKAGES]
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    # The best grid of a matrix need not use its largest code: 0.1.0 did not search all steps.
    command += ["-k", "not (test_codes_have_their_bits and 127)"]
    done = subprocess.run(
        [*command, "-c", str(tmp_path / "pytest.ini"), "--noconftest", *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert all("nothing to test" in line or "contract 1" in line for line in skipped), done.stdout


def test_the_wheel_of_the_baseline_is_the_recorded_one() -> None:
    (wheel,) = BASELINE.glob("*.whl")
    recorded, name = (BASELINE / f"{wheel.name}.sha256").read_text(encoding="utf-8").split()
    assert (hashlib.sha256(wheel.read_bytes()).hexdigest(), wheel.name) == (recorded, name)
    with ZipFile(wheel) as archive:
        assert '__version__ = "0.1.0"' in archive.read("dse/__init__.py").decode()
