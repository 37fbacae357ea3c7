"""How many task scores samplers need, on recorded scores: medians over seeds that nothing was tuned on."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Figure, measures
from benchmarks.search_quality.record import FOLDER
from benchmarks.search_quality.recorded import Recorded
from dse.results.pareto import hypervolume
from dse.results.read import read_trials
from dse.search.provenance import Provenance
from dse.search.study import run

RECORDS = ("quickstart", "eight")
STOCK = ("nsga2", "nsga3", "tpe", "gp", "random")
SEEDS = tuple(range(100, 110))
"""Seeds below 100 were used while `graybox` was made."""
BUDGET = 800
OURS = 400
REFERENCE = (1.0, 1.25, 5.0)
AXES = ["array_area_ratio", "energy_ratio", "accuracy_drop"]
MOST_TRIALS = 600


@dataclass(frozen=True, slots=True)
class Course:
    """One study.

    Attributes:
        spent: (n,) task scores paid for after each trial.
        covered: (n,) hypervolume after each trial.
        trial_ms: time of a trial, all included.
    """

    spent: tuple[int, ...]
    covered: tuple[float, ...]
    trial_ms: float

    def at(self, budget: int) -> float:
        """Hypervolume that so many task scores paid for."""
        return max(
            (value for spent, value in zip(self.spent, self.covered, strict=True) if spent <= budget), default=0.0
        )

    def needed(self, value: float) -> float:
        """Task scores after which a hypervolume is reached; infinite where it never is."""
        reached = (spent for spent, found in zip(self.spent, self.covered, strict=True) if found >= value)
        return next(reached, float("inf"))


def course(name: str, sampler: str, seed: int, budget: int) -> Course:
    """Run a study on a record."""
    problem = Recorded(name, budget)
    space = problem.space(sampler=sampler, seed=seed, trials=MOST_TRIALS, sampler_options={})
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = run(problem, space, folder=Path(folder), provenance=Provenance())
        seconds = time.perf_counter() - start
        rows = read_trials(done.folder)
    kept = rows[rows["status"] == "done"]
    values = kept[AXES].to_numpy()
    covered = [hypervolume(values[: at + 1], REFERENCE) for at in range(len(values))]
    return Course(tuple(kept["evaluated_tasks"].cumsum()), tuple(covered), 1e3 * seconds / max(len(rows), 1))


@measures(*(f"search.evals_ratio.{name}" for name in RECORDS), "search.hv_at_400", "search.sampler_ms")
def search() -> Iterator[Figure]:
    """Compare `graybox` with stock samplers on every record there is."""
    shares, times = [], []
    for name in (name for name in RECORDS if (FOLDER / f"{name}.parquet").exists()):
        stock = {sampler: [course(name, sampler, seed, BUDGET) for seed in SEEDS] for sampler in STOCK}
        ours = [course(name, "graybox", seed, OURS) for seed in SEEDS]
        reached = {sampler: float(np.median([one.at(BUDGET) for one in found])) for sampler, found in stock.items()}
        best = max(reached, key=lambda sampler: reached[sampler])
        needed = float(np.median([one.needed(reached[best]) for one in ours]))
        known = max(max(one.covered) for found in (*stock.values(), ours) for one in found)
        shares.append(float(np.median([one.at(OURS) for one in ours])) / known)
        times += [one.trial_ms for one in ours]
        text = (
            f"recorded scores, median of {len(SEEDS)} seeds: graybox needs {needed:g} task scores for the hypervolume of "
            f"{best} after {BUDGET} ({reached[best]:.4f}; best known {known:.4f})"
        )
        yield Figure(f"search.evals_ratio.{name}", BUDGET / needed, "ratio", ">= 5", text)
    if shares:
        text = "hypervolume after 400 task scores by the best known, the lesser of the records, median over seeds"
        yield Figure("search.hv_at_400", min(shares), "ratio", ">= 0.99", text)
        yield Figure(
            "search.sampler_ms", float(np.median(times)), "ms/trial", "<= 300", "a trial of graybox, all included"
        )
