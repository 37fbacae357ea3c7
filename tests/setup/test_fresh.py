from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    """The script, which imports its neighbour as it does when run by path."""
    spec = importlib.util.spec_from_file_location("dse_fresh_script", ROOT / "scripts" / "fresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        spec.loader.exec_module(module)
    sys.modules.pop("setup", None)
    return module


fresh = load()


@pytest.mark.parametrize(
    ("requirement", "found"),
    [
        ("numpy>=2.0", ("numpy", "2.0")),
        ("optuna>=5.0,<6", ("optuna", "5.0")),
        ("optuna <6, >= 5.0.1", ("optuna", "5.0.1")),
        ("a-b[extra]~=1.2", ("a-b", "1.2")),
        ("A_b.c==1.2rc1", ("a-b-c", "1.2rc1")),
        ('tomli>=2; python_version < "3.11"', ("tomli", "2")),
    ],
)
def test_the_lowest_version_is_the_one_declared(requirement: str, found: tuple[str, str]) -> None:
    assert fresh.lowest(requirement) == found


@pytest.mark.parametrize("requirement", ["numpy", "numpy<3", "numpy!=2.1", "numpy>2", ">=2", 'a; python_version>="3"'])
def test_a_requirement_without_a_lowest_version_is_refused_by_name(requirement: str) -> None:
    with pytest.raises(fresh.SetupProblemError) as caught:
        fresh.lowest(requirement)
    assert f"found: {requirement}" in str(caught.value)


def test_light_requirements_are_lowest_and_the_rest_pinned() -> None:
    project = {
        "project": {
            "dependencies": ["Light_One>=1.5,<2", "pydantic>=2.10", "torch>=2.8"],
            "optional-dependencies": {"more": ["extra>=3"]},
        }
    }
    pinned = "# a note, a==1\nlight-one==1.9\nextra==4\npydantic==2.14\npydantic-core==2.50\ntorch==2.13.0\nother==7\n"
    assert fresh.lowest_constraints(project, pinned) == [
        "extra==3",
        "light-one==1.5",
        "pydantic==2.10",
        "torch==2.13.0",
        "other==7",
    ]


def test_every_declared_requirement_has_a_lowest_version_and_one_constraint() -> None:
    project: dict[str, Any] = fresh.read_project(ROOT)
    found = fresh.lowest_constraints(project, (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    names = [line.split("==")[0] for line in found]
    assert len(names) == len(set(names))
    assert {fresh.lowest(item)[0] for item in fresh.declared(project)} <= set(names)


def test_what_is_not_tried_exists() -> None:
    assert all((ROOT / path).exists() for path in fresh.UNTRIED)


def test_paths_in_a_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    inner, outer = str(tmp_path / "a" / "b"), str(tmp_path / "ab")
    assert fresh.inside(["", inner, outer, str(tmp_path / "link" / "c")], tmp_path / "a") == [
        inner,
        str(tmp_path / "link" / "c"),
    ]


def test_a_failing_program_is_named(tmp_path: Path) -> None:
    place = fresh.Fresh(ROOT, tmp_path)
    place.work.mkdir()
    place.bin.mkdir(parents=True)
    (place.bin / "python").symlink_to(sys.executable)
    with pytest.raises(fresh.TrialError, match="trying it failed with status 3"):
        place.answer("trying it", "python", "-c", "raise SystemExit(3)")
    assert place.answer("trying it", "python", "-c", "print([1])") == [1]
