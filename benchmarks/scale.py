"""Search at scale: ten thousand trials, a million rows, and two workers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.caches import without_scores
from benchmarks.figures import Figure, choose_size, measures
from benchmarks.loop import Prepared, problem_of_costs
from benchmarks.problems import costed_problem, four_on_minilm
from benchmarks.smoke import space_file
from dse.records.design import DesignPoint
from dse.results.files import LOG
from dse.results.pareto import mask_nondominated
from dse.samplers.encoding import Codec
from dse.space.searchspace import default_point
from dse.study.load import request
from dse.study.provenance import Provenance
from dse.study.run import run
from dse.worker.client import RemoteProblem
from dse.worker.pool import SharedProblem, cores_of

TRIALS = 10_000
BRUTE = 34_020
ROWS = 1_000_000
POINTS = 6
EIGHT = Path(__file__).parent.parent / "spaces" / "kang2021.toml"


@measures("search.cost_only_10k_s", "search.cost_only_10k_log_mb", "resume.10k_s")
def many_trials() -> Iterator[Figure]:
    """Seconds of ten thousand trials of NSGA-II without scores, and of opening them again for one trial more."""
    problem, space = problem_of_costs()
    many = choose_size(TRIALS, 8)
    with tempfile.TemporaryDirectory() as folder:
        times = []
        for trials in (many, many + 1):
            start = time.perf_counter()
            run(Prepared(problem), space, folder=Path(folder) / "many", provenance=Provenance(), trials=trials)
            times.append(time.perf_counter() - start)
        log = (Path(folder) / "many" / LOG).stat().st_size / 1e6
    yield Figure("search.cost_only_10k_s", times[0], "s", "<= 20", "nothing: NSGA-II, three objectives of cost")
    yield Figure("search.cost_only_10k_log_mb", log, "MB", "<= 15", "nothing: the log alone")
    yield Figure(
        "resume.10k_s",
        times[1],
        "s",
        "<= 5",
        "nothing: log read, trials given to the sampler, one more trial, results written",
    )


@measures("search.brute_force_34k_s")
def brute_force() -> Iterator[Figure]:
    """Seconds to evaluate each of 34,020 designs of a finite space once."""
    chip = {"array_size": {"choices": [64, 128, 256]}, "adc_bits": {"low": 6, "high": 8}, "encoding": "offset"}
    few = {"cosine": 0.9, "max_bits": {"low": 1, "high": 2}, "selective": 0.0}
    free = {"shared-prefix": {"depth": {"low": 0, "high": 2}}, "two-stage": few, "isaac": chip}
    objectives = ["area", "energy", "latency"]
    problem, space = costed_problem(four_on_minilm(), free=free, objectives=objectives, sampler="brute-force")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        trials = choose_size(BRUTE, 8)
        done = run(Prepared(problem), space, folder=Path(folder) / "all", provenance=Provenance(), trials=trials)
        seconds = time.perf_counter() - start
    what = f"nothing: {done.progress.evaluated} designs and {done.progress.refused} refused, of {space.size:.0f}"
    yield Figure("search.brute_force_34k_s", seconds, "s", "<= 15", what)


@measures("front.million_rows_s")
def million_rows() -> Iterator[Figure]:
    """Seconds to find which of a million rows no other one beats, in three objectives."""
    rows = np.random.default_rng(0).uniform(size=(choose_size(ROWS, 1000), 3))
    start = time.perf_counter()
    kept = int(mask_nondominated(rows, [False, False, True]).sum())
    yield Figure("front.million_rows_s", time.perf_counter() - start, "s", "<= 1", f"nothing: {kept} rows are kept")


@measures("workers.speedup_2", long=True)
def two_workers() -> Iterator[Figure]:
    """Trials per second of two workers by those of one, each worker on one core; fine-tuned models cached, no score."""
    cores = cores_of(2)
    space = space_file(EIGHT)
    seconds = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            asked = without_scores(request(space, "cpu", None, ()), Path(folder))
            alone = workers == 1
            made = RemoteProblem(asked, cores=cores[0][:1]) if alone else SharedProblem(asked, workers=2)
            with made as problem:
                problem.prepare(scores=True)
                points = _points(problem)
                start = time.perf_counter()
                for point in points:
                    problem.score(point)
                seconds.append(time.perf_counter() - start)
    text = f"one worker on one core: {len(points)} designs of eight tasks in {seconds[0]:.0f} s, two workers in {seconds[1]:.0f} s"
    yield Figure("workers.speedup_2", seconds[0] / seconds[1], "ratio", ">= 1.6", text)


def _points(problem: RemoteProblem) -> list[DesignPoint]:
    """Designs that share no setting of a task."""
    plain, codec = default_point(problem.space), Codec(problem.space)
    drawn = [codec.random_point(seed) for seed in range(choose_size(POINTS, 1))]
    return [replace(plain, values={**plain.values, **point.values}) for point in drawn]
