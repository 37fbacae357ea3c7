"""A prepared problem on a tiny model, shared by the tests of scoring."""

from __future__ import annotations

from pathlib import Path

import pytest

import dse
from dse.score.problem import WorkloadProblem, build_problem
from dse.space.file import load
from tests.support.tiny import write_space


@pytest.fixture(scope="session")
def tiny_space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_space(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("cache")
    return folder


@pytest.fixture(scope="session")
def problem(tiny_space: Path, cache: Path) -> WorkloadProblem:
    made = build_problem(load(tiny_space), dse.Registry().discover(), cache=cache, device="cpu")
    made.prepare(scores=True)
    return made
