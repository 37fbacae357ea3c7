"""Project files agree with one another: versions, pins, steps of CI and the repository's address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import dse

ROOT = Path(__file__).resolve().parents[2]
_TABLES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, WHEEL = _TABLES["project"], _TABLES["tool"]["hatch"]["build"]["targets"]["wheel"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere() -> None:
    cited = re.search(r"^version: (.+)$", text("CITATION.cff"), re.MULTILINE)
    assert cited is not None
    assert cited[1] == PROJECT["version"] == dse.__version__
    assert f"## [{dse.__version__}]" in text("CHANGELOG.md")


def test_the_licence_is_named_and_there() -> None:
    assert PROJECT["license"] == "Apache-2.0"
    assert all((ROOT / name).is_file() for name in PROJECT["license-files"])
    assert "license: Apache-2.0" in text("CITATION.cff")
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in text("LICENSE")


def test_every_file_that_the_notice_names_exists() -> None:
    named = set(re.findall(r"\b(?:plugins|dse)/[\w/]+\.\w+", text("NOTICE")))
    assert len(named) >= 6
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_the_repository_has_one_address() -> None:
    address = PROJECT["urls"]["Homepage"]
    files = ["CHANGELOG.md", "CITATION.cff", "SECURITY.md", "pyproject.toml", ".github/ISSUE_TEMPLATE/config.yml"]
    for name in files:
        assert address in text(name)
        assert set(re.findall(r"https://github\.com/dse[\w-]*/[\w-]+", text(name))) == {address}


def test_hooks_use_the_pinned_ruff() -> None:
    pinned = re.search(r"^ruff==(.+)$", text("constraints.txt"), re.MULTILINE)
    assert pinned is not None
    assert f"rev: v{pinned[1]} " in text(".pre-commit-config.yaml")


def test_hosted_ci_has_every_step_of_the_local_one() -> None:
    steps = re.findall(r"^make (\w+)\b", text(".ci/run"), re.MULTILINE)
    hosted = re.search(r"^ +step: \[(.+)\]$", text(".github/workflows/ci.yml"), re.MULTILINE)
    assert hosted is not None
    assert sorted(hosted[1].split(", ")) == sorted(steps)


def test_recipes_of_containers_name_extras_that_exist() -> None:
    for name in ("Dockerfile", "apptainer.def", "environment.yml"):
        extras = re.search(r"\[((?:\w+,?)+)\]['\"]", text(name))
        assert extras is not None
        assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])


def test_the_apptainer_image_gets_the_files_that_an_installation_needs() -> None:
    copied = dict(re.findall(r"^    (\S+) (/src/)$", text("apptainer.def"), re.MULTILINE))
    needed = {
        "pyproject.toml",
        "constraints.txt",
        PROJECT["readme"],
        *PROJECT["license-files"],
        *WHEEL["force-include"],
    }
    assert set(copied) == needed | {folder.split("/")[0] for folder in WHEEL["packages"]}
    assert all((ROOT / name).exists() for name in copied)
