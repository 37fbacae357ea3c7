"""A recorded workload as a problem: exact cost from its shapes, scores from the table."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from benchmarks.problems import Shapes, Statistics
from benchmarks.search_quality.record import FOLDER, setting_of
from dse.records.data_facts import DataFacts
from dse.records.design import DesignPoint
from dse.records.problem import Problem
from dse.records.scored import CostResult, ScoreResult
from dse.score.problem import WorkloadProblem
from dse.space.file import SpaceFile, load
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace


class Recorded:
    """Implements `dse.records.problem.Problem`, and counts every task score that was not asked for before.

    Args:
        name: name of the record.
        budget: task scores after which the study is interrupted.

    Attributes:
        scores: number of task scores that are recorded.
        digests: digests of the weights and data that were scored.
        known: task and setting of each score that was asked for.
    """

    def __init__(self, name: str, budget: int) -> None:
        import pandas as pd

        table = pd.read_parquet(FOLDER / f"{name}.parquet", use_threads=False)
        self._scores = {(row["task"], row["setting"]): row for row in table.to_dict("records")}
        self.scores = len(table)
        raw = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.digests = raw["digests"]
        shape = _workload(raw)
        space = load(FOLDER / f"{name}.toml")
        stands_for: Any = Shapes(shape)
        registry = dse.Registry().discover()
        cache = Path(tempfile.gettempdir())
        self._costed = WorkloadProblem(stands_for, space.plugins, space.reference_hardware, registry, cache=cache)
        _ = self._costed.parameters  # plugins see the workload
        self._costed.plugin("compressor", "two-stage").prepare(_Statistics(shape, name))
        self.space_file: SpaceFile = space
        self.parameters, self.tasks, self.layers = self._costed.parameters, self._costed.tasks, self._costed.layers
        self.components, self.joint, self.budget = self._costed.components, self._costed.joint, budget
        self.known: set[tuple[str, str]] = set()
        self.data: tuple[DataFacts, ...] = ()

    @property
    def spent(self) -> int:
        """Task scores asked for."""
        return len(self.known)

    def space(self, **search: Any) -> SearchSpace:
        """The record's space with other settings of the search."""
        return searched(self.space_file, self, **search)

    def prepare(self, *, scores: bool) -> None:
        """Nothing is left to do."""
        del scores

    def layer_scores(self) -> tuple[tuple[float, ...], ...]:
        """No scores: the record has none of single layers."""
        return ()

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        """Exact cost."""
        return self._costed.cost(points)

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        """From the table.

        Raises:
            KeyboardInterrupt: the budget of task scores is spent, which ends a study as a person would.
        """
        rows = [self._scores[name, json.dumps(setting_of(point, task))] for task, name in enumerate(self.tasks)]
        new = {(row["task"], row["setting"]) for row in rows} - self.known if split == "search" else set()
        if self.spent + len(new) > self.budget:
            raise KeyboardInterrupt
        self.known |= new
        tasks = {row["task"]: float(row[split]) for row in rows}
        baseline = {row["task"]: float(row[f"{split}.baseline"]) for row in rows}
        mean = float(np.mean(list(tasks.values())))
        drop = 100 * (float(np.mean(list(baseline.values()))) - mean)
        drops = {f"accuracy_drop{end}": drop for end in ("", "_low", "_high", "_all", "_worst")}
        return ScoreResult({"score_mean": mean, **drops}, tasks, evaluated=len(new), baseline=baseline)


def searched(file: SpaceFile, problem: Problem, **search: Any) -> SearchSpace:
    """A problem's space with other settings of the search."""
    changed = file.model_copy(update={"search": file.search.model_copy(update=search)})
    return resolve(changed, problem.parameters, problem.tasks, problem.layers)


class _Statistics(Statistics):
    """Context that answers with recorded clip statistics."""

    def __init__(self, workload: dse.Workload, name: str) -> None:
        super().__init__(workload)
        self._cosines: NDArray[np.float64] = np.load(FOLDER / f"{name}.npz")["cosines"]
        self._asked = 0

    def cached(
        self, name: str, key: Mapping[str, Any], make: Callable[[], dict[str, NDArray[Any]]]
    ) -> dict[str, NDArray[Any]]:
        """One task's after the other's."""
        del name, key, make
        self._asked += 1
        return {"cosine": self._cosines[self._asked - 1]}


def _workload(raw: dict[str, Any]) -> dse.Workload:
    encoder = raw["encoder"] | {"matrices": tuple(dse.Matrix(**matrix) for matrix in raw["encoder"]["matrices"])}
    names = [task["name"] for task in raw["tasks"]]
    digests = {"base": "base"} | {f"{part}.{name}": name for part in ("task", "data") for name in names}
    return dse.Workload(
        raw["base"],
        dse.Encoder(**encoder),
        tuple(dse.Task(**task) for task in raw["tasks"]),
        dse.Traffic(**raw["traffic"]),
        digests,
    )
