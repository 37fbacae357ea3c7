"""Redundancy of tasks' models: a table with one row per task and layer, each group of columns from one measurement."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dse.analysis.importance import IMPORTANCE_VERSION, UNITS, importance, least
from dse.models.inference.similarity import MOST_TOKENS, SIMILARITY_VERSION
from dse.records.callbacks import ProgressCallback
from dse.score.context import PipelineContext
from dse.score.exit_heads import fit_exits
from dse.score.metrics import POINTS
from dse.score.problem import WorkloadProblem

SURE = 0.9
"""Smallest confidence of an answer with which an input could leave early."""
Measurement: TypeAlias = tuple[str, int | None, Callable[[PipelineContext, int, int], dict[str, NDArray[Any]]]]
"""Name, version and function of a measurement of one task on some rows."""
Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""Values (T, L) by column; NaN where a value is missing."""


def redundancy(problem: WorkloadProblem, rows: int, progress: ProgressCallback) -> pd.DataFrame:
    """Measure how similar layers are across tasks, how much a task needs each layer, and which parts of it it hardly needs.

    Every measurement is cached by content, so no study repeats one that any study has made.

    Args:
        problem: base, tasks and baseline; its plugins need not be prepared.
        rows: number of training rows, pooled over all tasks for similarity, and per task for importance.
        progress: callback for the current measurement and the share done.

    Returns:
        Table with the columns task, layer and those of `similar`, `important`, `leaving` and `effects`.
    """
    columns = {
        **similar(problem, rows),
        **important(problem, rows, progress),
        **leaving(problem, rows, progress),
        **effects(problem),
    }
    table: dict[str, Any] = {
        "task": np.repeat(np.array(problem.tasks, dtype=object), problem.layers),
        "layer": np.tile(np.arange(problem.layers), len(problem.tasks)),
    }
    table |= {name: values.ravel() for name, values in columns.items()}
    counts = {name: "Int64" for name in table if name.endswith("_below_1pct")}
    paired = [name for name in table if "." in name]  # columns per other task come last
    return pd.DataFrame(table).astype(counts)[[*(name for name in table if name not in paired), *paired]]


def similar(problem: WorkloadProblem, rows: int) -> Columns:
    """Return how similar a layer's outputs are to the base's, to the other tasks' on average, and to each task's."""
    context, tasks = problem.context, len(problem.tasks)
    digests = _digests(problem, *range(tasks))
    key = {"measured": "similarity", "version": [SIMILARITY_VERSION, MOST_TOKENS], "rows": rows, "digests": digests}
    similarity = context.arrays.find_or_make("redundancy", key, lambda: context.similarity(rows))
    columns: dict[str, NDArray[Any]] = {}
    for name in ("cka", "cosine"):
        between = similarity[name][1:, 1:].transpose(0, 2, 1)  # (T, L, T)
        columns[f"base_{name}"] = similarity[name][1:, 0]
        if tasks == 1:
            columns[f"tasks_{name}"] = np.full(between.shape[:2], np.nan)
        else:
            own = np.eye(tasks, dtype=bool)[:, None]
            columns[f"tasks_{name}"] = np.where(own, 0.0, between).sum(axis=-1) / (tasks - 1)
        columns |= {f"{name}.{other}": between[..., at] for at, other in enumerate(problem.tasks)}
    return columns


def effects(problem: WorkloadProblem) -> Columns:
    """Return the points that a task loses on the search split when it skips a layer, or uses the base's matrices there."""
    own = np.array(problem.baseline_scores())[:, None]
    return {
        "skipped_drop": POINTS * (own - np.array(problem.layer_scores(skipped=True))),
        "of_base_drop": POINTS * (own - np.array(problem.layer_scores())),
    }


def important(problem: WorkloadProblem, rows: int, progress: ProgressCallback) -> Columns:
    """Return the importance that the least important heads and feed-forward columns of a layer carry."""
    shape = (len(problem.tasks), problem.layers)
    columns = {f"{unit}_{part}": np.full(shape, np.nan) for unit in UNITS for part in ("half_share", "below_1pct")}
    for task, name in enumerate(problem.tasks):
        tell = partial(progress, f"importance of heads and columns in {name}")
        importances = _once(problem, task, rows, ("importance", IMPORTANCE_VERSION, importance), tell)
        for unit, values in importances.items():
            columns[f"{unit}_half_share"][task], columns[f"{unit}_below_1pct"][task] = least(values)
    return columns


def leaving(problem: WorkloadProblem, rows: int, progress: ProgressCallback) -> Columns:
    """Return how often a layer's answer equals the last layer's, and the share of inputs sure enough to leave there."""
    columns = {name: np.full((len(problem.tasks), problem.layers), np.nan) for name in ("exit_agrees", "exit_leaves")}
    for task, name in enumerate(problem.tasks):
        exits = _once(problem, task, rows, ("exits", None, fit_exits), partial(progress, f"early exits of {name}"))
        columns["exit_agrees"][task, exits["layers"]] = exits["agrees"]
        columns["exit_leaves"][task, exits["layers"]] = (exits["sure"] >= SURE).mean(axis=1)
    return columns


def _once(
    problem: WorkloadProblem, task: int, rows: int, measurement: Measurement, progress: Callable[[float], None]
) -> dict[str, NDArray[Any]]:
    """Return a measurement of one task from the cache if it has been made."""
    name, version, make = measurement

    def measure() -> dict[str, NDArray[Any]]:
        progress(task / len(problem.tasks))
        return make(problem.context, task, rows)

    versions = [version, *problem.context.core_versions]
    key = {"measured": name, "version": versions, "rows": rows, "digests": _digests(problem, task)}
    return problem.context.arrays.find_or_make("redundancy", key, measure)


def _digests(problem: WorkloadProblem, *tasks: int) -> list[str]:
    """Return content hashes of the base, and of the model and data of each given task."""
    digests = problem.workload.digests
    names = [problem.tasks[task] for task in tasks]
    return [digests["base"], *(digests[f"{part}.{name}"] for name in names for part in ("task", "data"))]
