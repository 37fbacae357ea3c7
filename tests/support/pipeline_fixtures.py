"""A tiny model whose tasks are fine-tuned once per run of the tests, and the problem of scoring it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import dse
from dse.score.build import build_problem
from dse.score.problem import WorkloadProblem
from dse.space.file import load
from tests.support.once import Once
from tests.support.tiny import write_space


def build(space: Path, cache: Path) -> WorkloadProblem:
    made = build_problem(load(space), dse.Registry().discover(), cache=cache, device="cpu")
    made.prepare(scores=True)
    return made


@pytest.fixture(scope="session")
def tuned(once: Once) -> Path:
    """Folder of a tiny model, its data, its space file and a cache that holds its tasks; a test changes only a copy."""
    return once("tuned", lambda folder: build(write_space(folder), folder / "cache"))


@pytest.fixture(scope="session")
def tiny_space(tuned: Path) -> Path:
    return tuned / "tiny.toml"


@pytest.fixture(scope="session")
def cache(tuned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of this process: tests count what is evaluated."""
    return Path(shutil.copytree(tuned / "cache", tmp_path_factory.mktemp("cache"), dirs_exist_ok=True))


@pytest.fixture(scope="session")
def problem(tiny_space: Path, cache: Path) -> WorkloadProblem:
    return build(tiny_space, cache)


@pytest.fixture(scope="module")
def own_tuned(tuned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder for the tests of a module to change; its space file names the model of the original."""
    return Path(shutil.copytree(tuned, tmp_path_factory.mktemp("tuned"), dirs_exist_ok=True))
