"""Designs of a tiny workload, ready to be exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dse
from dse.exports.files import ROWS, seal
from dse.exports.write import Wanted, write_design, write_rows
from dse.pipeline.problem import WorkloadProblem, build_problem
from dse.records.point import DesignPoint
from dse.search.space import load
from tests.tiny import write_space

Options = dict[str, Any]


@pytest.fixture(scope="session")
def problem_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Options, str, Options], WorkloadProblem]:
    """The tiny workload's problem for a generator and a compressor with their options."""
    space = load(write_space(tmp_path_factory.mktemp("tiny")))
    cache, registry = tmp_path_factory.mktemp("cache"), dse.Registry().discover()
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
    wanted = Wanted(problem, point, about, scores)
    manifest = write_design(folder, wanted)
    write_rows(folder / ROWS, wanted)
    seal(folder, manifest)
    return folder
