"""Cost of the search itself: asking, checking, logging and telling, with accuracy left out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, choose_size, measures
from benchmarks.problems import costed_problem, four_on_minilm
from dse.records.data_facts import DataFacts
from dse.score.problem import WorkloadProblem
from dse.space.searchspace import SearchSpace
from dse.study.provenance import Provenance
from dse.study.run import run

TRIALS = 2000


class Prepared:
    """A problem whose plugins are prepared already."""

    def __init__(self, problem: WorkloadProblem) -> None:
        self.parameters, self.tasks, self.layers = problem.parameters, problem.tasks, problem.layers
        self.components, self.cost, self.score = problem.components, problem.cost, problem.score
        self.joint, self.layer_scores, self.compare = problem.joint, problem.layer_scores, problem.compare
        self.data: tuple[DataFacts, ...] = ()

    def prepare(self, *, scores: bool) -> None:
        """Nothing is left to do."""


@measures("loop.overhead_ms")
def overhead() -> Iterator[Figure]:
    """Milliseconds of an evaluated trial of NSGA-II on the quickstart's space with all ranges free, cost included."""
    problem, space = problem_of_costs()
    trials = choose_size(TRIALS, 8)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = run(Prepared(problem), space, folder=Path(folder) / "loop", provenance=Provenance(), trials=trials)
        seconds = time.perf_counter() - start
    what = f"{done.progress.evaluated} trials and {done.progress.duplicates} duplicates, results written"
    yield Figure("loop.overhead_ms", 1e3 * seconds / trials, "ms/trial", "<= 10", f"nothing: {what}")


def problem_of_costs() -> tuple[WorkloadProblem, SearchSpace]:
    """Return the quickstart with its ranges and the hardware's set free, so that NSGA-II can search it without scores."""
    hardware = ("array_size", "cell_bits", "adc_bits", "dac_bits", "encoding", "arrays_per_ima", "adcs_per_ima")
    return costed_problem(
        four_on_minilm(),
        free={"shared-prefix": {}, "two-stage": {}, "isaac": {name: {} for name in hardware}},
        objectives=["area", "energy", "latency"],
        sampler="nsga2",
        sampler_options={"population_size": 50},
    )
