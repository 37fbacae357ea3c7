"""Sweeps: designs per second against the cost model alone, a million designs, and growth with the number of tasks."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dse
from benchmarks.figures import Figure, choose_size, measures
from benchmarks.problems import costed_problem, encoder, four_on_minilm, shapes
from dse.records.callbacks import ignore_progress
from dse.samplers.encoding import Codec
from dse.score.costing import CHUNK
from dse.score.problem import WorkloadProblem
from dse.space.searchspace import SearchSpace
from dse.study.provenance import Provenance
from dse.sweeps.designs import Designs
from dse.sweeps.sweep import Swept, sweep

MILLION = 1_000_000
SHORT = 65_536
FEW_TASKS, MANY_TASKS = 4, 128


@measures("sweep.over_cost_model")
def over_cost_model() -> Iterator[Figure]:
    """Designs per second of a sweep, writing included, by those of the cost model alone on the same designs."""
    problem, space = open_quickstart()
    count = choose_size(SHORT, 40)
    blocks = [chunk for block in Designs(space, count).find(0, count) for chunk in block.cut(CHUNK)]
    cost = problem.costing.cost_columns
    cost(blocks[-1].combination, blocks[-1].params)
    start = time.perf_counter()
    for block in blocks:
        cost(block.combination, block.params)
    alone = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sweep_into(Path(folder), problem, space, count)
        seconds = time.perf_counter() - start
    what = f"{count} designs costed alone: {count / alone:.0f} per second; swept: {count / seconds:.0f}"
    yield Figure("sweep.over_cost_model", alone / seconds, "ratio", ">= 0.5", what)


@measures("sweep.million_s", "sweep.million_mb", "sweep.million_disk_mb", "sweep.pareto_s", long=True)
def million() -> Iterator[Figure]:
    """Seconds, memory and disk of a million designs of the quickstart's space, and seconds to read their front."""
    problem, space = open_quickstart()
    count = choose_size(MILLION, 40)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = sweep_into(Path(folder), problem, space, count)
        seconds = time.perf_counter() - start
        disk = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        start = time.perf_counter()
        front = dse.pareto(folder)
        reading = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"nothing: {count} designs in one process, {done.front} on the front"
    yield Figure("sweep.million_s", seconds, "s", "<= 120", what)
    yield Figure("sweep.million_mb", memory, "MB", "<= 1000", "nothing: the most of this process")
    yield Figure("sweep.million_disk_mb", disk / 1e6, "MB", "<= 150", "nothing: parts, front and header")
    yield Figure("sweep.pareto_s", reading, "s", "<= 2", f"nothing: {len(front)} designs")


@measures("sweep.growth_with_tasks")
def growth() -> Iterator[Figure]:
    """Cost per design and task at 128 tasks by that at 4, at the shapes of MiniLM-L6."""
    times = []
    for tasks in (FEW_TASKS, choose_size(MANY_TASKS, 8)):
        problem, space = costed_problem(shapes(tasks, encoder(6, 384, 1536, 12)))
        codec, count = Codec(space), choose_size(CHUNK, 8)
        points = [codec.random_point(seed) for seed in range(8 * count)]
        points = [point for point in points if point.compressor == "two-stage"][:count]
        problem.cost(points)
        start = time.perf_counter()
        problem.cost(points)
        times.append((time.perf_counter() - start) / tasks)
    yield Figure("sweep.growth_with_tasks", times[1] / times[0], "ratio", "<= 1.5", f"{FEW_TASKS} tasks")


def open_quickstart() -> tuple[WorkloadProblem, SearchSpace]:
    """Return the quickstart's space, prepared, with any order of the tasks."""
    return costed_problem(four_on_minilm())


def sweep_into(folder: Path, problem: WorkloadProblem, space: SearchSpace, count: int) -> Swept:
    """Sweep so many designs of a prepared problem."""
    problem.prepare = lambda **_options: None  # type: ignore[method-assign]  # it is prepared
    return sweep(problem, space, Provenance(), folder, designs=count, activity=ignore_progress)
