"""Designs of a tiny workload, ready to be exported."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dse
from dse.exports.manifest import MANIFEST, seal
from dse.exports.write import Wanted, write_export
from dse.records.design import DesignPoint
from dse.score.build import build_problem
from dse.score.problem import WorkloadProblem
from dse.space.file import load
from tests.support.once import Once

Options = dict[str, Any]


@pytest.fixture(scope="session")
def problem_of(once: Once, tuned: Path) -> Callable[[str, Options, str, Options], WorkloadProblem]:
    """The tiny workload's problem for a generator and a compressor with their options."""
    home = once("exports", lambda folder: shutil.copytree(tuned, folder, dirs_exist_ok=True))
    space, cache, registry = load(home / "tiny.toml"), home / "cache", dse.Registry().discover()
    first = build_problem(space, registry, cache=cache, device="cpu")

    def made(generator: str, options: Options, compressor: str, own: Options) -> WorkloadProblem:
        plugins = (("generator", generator, options), ("compressor", compressor, own))
        found = WorkloadProblem(
            first.context.loaded,
            (*plugins, ("scheduler", "searched", {}), ("hardware", "isaac", {})),  # type: ignore[arg-type]
            space.reference_hardware,
            registry,
            cache=cache,
        )
        found.prepare(scores=False)
        return found

    return made


def write(folder: Path, problem: WorkloadProblem, point: DesignPoint) -> Path:
    """Export a design with its rows and the scores it has."""
    by_split = {split: problem.score(point, split).tasks for split in ("search", "report")}
    scores = {task: {split: known[task] for split, known in by_split.items()} for task in problem.tasks}
    about = {"study": "tiny", "trial": 0, "record": {}, "plugins": {}, "versions": {"transformers": ""}}
    folder.mkdir()
    write_export(folder, Wanted(problem, point, about, scores), rows=True)
    return folder


def reseal(folder: Path, content: dict[str, Any]) -> None:
    """Write another content of ``export.json``, with the digest that belongs to it."""
    content = {key: value for key, value in content.items() if key != "digest"}
    (folder / MANIFEST).write_text(seal(content), encoding="utf-8")


def prefixed(problem_of: Any) -> tuple[WorkloadProblem, DesignPoint]:
    """A design whose first task has its first layer from the base."""
    problem = problem_of("shared-prefix", {}, "two-stage", {})
    point = problem.default_point(("shared-prefix", "two-stage", "searched", "isaac"))
    values = {**point.values, "generator.shared-prefix.depth": (1, 0), "compressor.two-stage.selective": (0.5, 0.25)}
    return problem, replace(point, values=values)


@pytest.fixture(scope="session")
def original(problem_of: Any, once: Once) -> Path:
    """An export to be read, never changed."""
    return once("original", lambda folder: write(folder / "chip", *prefixed(problem_of))) / "chip"


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(original, tmp_path / "chip"))
