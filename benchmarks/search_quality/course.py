"""One study on recorded scores: what it has covered after each trial, and what it has paid."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.search_quality.recorded import Recorded
from dse.results.pareto import hypervolume, mask_nondominated
from dse.results.points import point_of
from dse.results.read import read_trials
from dse.study.provenance import Provenance
from dse.study.run import run

REFERENCE = (1.0, 1.25, 5.0)
AXES = ["array_area_ratio_reference", "energy_ratio_reference", "accuracy_drop"]


@dataclass(frozen=True, slots=True)
class Course:
    """One study.

    Attributes:
        spent: (n,) task scores paid for after each trial.
        covered: (n,) hypervolume after each trial.
        report: hypervolume of the last front with its drops on the report split.
        trial_ms: time of a trial, all included.
    """

    spent: tuple[int, ...]
    covered: tuple[float, ...]
    report: float
    trial_ms: float

    def at(self, budget: int) -> float:
        """Hypervolume that so many task scores paid for."""
        paid = zip(self.spent, self.covered, strict=True)
        return max((value for spent, value in paid if spent <= budget), default=0.0)

    def needed(self, value: float) -> tuple[float, float]:
        """Task scores, and trials, after which a hypervolume is reached; infinite where it never is."""
        reached = (at for at, found in enumerate(self.covered) if found >= value)
        at = next(reached, None)
        return (float("inf"), float("inf")) if at is None else (self.spent[at], at + 1)


def course(name: str, sampler: str, seed: int, budget: int, trials: int, options: dict[str, Any]) -> Course:
    """Run a study on a record.

    Args:
        name: name of the record.
        sampler: name that the sampler has in a space file.
        seed: seed of the study.
        budget: number of task scores that ends the study.
        trials: number of trials that ends the study in any case.
        options: options of the sampler.
    """
    problem = Recorded(name, budget)
    space = problem.space(sampler=sampler, seed=seed, trials=trials, sampler_options=options)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = run(problem, space, folder=Path(folder), provenance=Provenance())
        seconds = time.perf_counter() - start
        rows = read_trials(done.folder)
    kept = rows[rows["status"] == "done"]
    values = kept[AXES].to_numpy(dtype=float)
    covered = [hypervolume(values[: at + 1], REFERENCE) for at in range(len(values))]
    spent = kept["evaluated_tasks"].cumsum()
    return Course(
        tuple(int(paid) for paid in spent), tuple(covered), _report(problem, kept), 1e3 * seconds / max(len(rows), 1)
    )


def _report(problem: Recorded, rows: Any) -> float:
    """Hypervolume of a study's front, chosen on the search split, scored on the report split."""
    values = rows[AXES].to_numpy(dtype=float)
    front = mask_nondominated(values, [False] * len(AXES))
    points = [point_of(row) for row, kept in zip(rows.to_dict("records"), front, strict=True) if kept]
    drops = [problem.score(point, "report").metrics["accuracy_drop"] for point in points]
    return hypervolume(np.column_stack([values[front][:, :2], drops]), REFERENCE)
