"""What is redundant in a task's model: one row a task and layer, each group of columns from one measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.analysis.importance import IMPORTANCE_VERSION, UNITS, importance, least
from dse.models.inference.similarity import MOST_TOKENS, SIMILARITY_VERSION
from dse.records.callbacks import ProgressCallback
from dse.score.exit_heads import fit_exits
from dse.score.metrics import POINTS

if TYPE_CHECKING:
    import pandas as pd

    from dse.score.problem import WorkloadProblem

SURE = 0.9
"""An input could leave early where an answer is at least so sure."""
Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""Values (T, L) by column; not a number where there is none."""


def redundancy(problem: WorkloadProblem, rows: int, told: ProgressCallback) -> pd.DataFrame:
    """Measure how alike layers are across tasks, what each is worth, and what in it is worth little.

    Everything is cached by content: what was measured once, by any study, is not measured again.

    Args:
        problem: base, tasks and baseline; its plugins need not be prepared.
        rows: training rows, pooled over all tasks for similarity, and of each task for importance.
        told: is told what is being measured.

    Returns:
        Columns task, layer and those of `similar`, `important`, `leaving` and `effects`.
    """
    import pandas as pd

    columns = {
        **similar(problem, rows),
        **important(problem, rows, told),
        **leaving(problem, rows, told),
        **effects(problem),
    }
    table: dict[str, Any] = {
        "task": np.repeat(np.array(problem.tasks, dtype=object), problem.layers),
        "layer": np.tile(np.arange(problem.layers), len(problem.tasks)),
    }
    table |= {name: values.ravel() for name, values in columns.items()}
    counts = {name: "Int64" for name in table if name.endswith("_below_1pct")}
    paired = [name for name in table if "." in name]  # one for each task: they come last
    return pd.DataFrame(table).astype(counts)[[*(name for name in table if name not in paired), *paired]]


def similar(problem: WorkloadProblem, rows: int) -> Columns:
    """How alike a layer's outputs are to the base's, to the other tasks' on average, and to each task's."""
    context, tasks = problem.context, len(problem.tasks)
    key = {"version": [SIMILARITY_VERSION, MOST_TOKENS], "rows": rows, "digests": _digests(problem, *range(tasks))}
    found = context.arrays.find_or_make(
        "redundancy", {"measured": "similarity", **key}, lambda: context.similarity(rows)
    )
    columns: dict[str, NDArray[Any]] = {}
    for name in ("cka", "cosine"):
        between = found[name][1:, 1:].transpose(0, 2, 1)  # (T, L, T)
        columns[f"base_{name}"] = found[name][1:, 0]
        if tasks == 1:
            columns[f"tasks_{name}"] = np.full(between.shape[:2], np.nan)
        else:
            own = np.eye(tasks, dtype=bool)[:, None]
            columns[f"tasks_{name}"] = np.where(own, 0.0, between).sum(axis=-1) / (tasks - 1)
        columns |= {f"{name}.{other}": between[..., at] for at, other in enumerate(problem.tasks)}
    return columns


def effects(problem: WorkloadProblem) -> Columns:
    """Points a task loses to its baseline on the search split when it skips a layer, or has the base's matrices there."""
    own = np.array(problem.baseline_scores())[:, None]
    return {
        "skipped_drop": POINTS * (own - np.array(problem.layer_scores(skipped=True))),
        "of_base_drop": POINTS * (own - np.array(problem.layer_scores())),
    }


def important(problem: WorkloadProblem, rows: int, told: ProgressCallback) -> Columns:
    """What the least important heads and feed-forward columns of a layer carry."""
    shape = (len(problem.tasks), problem.layers)
    columns = {f"{unit}_{what}": np.full(shape, np.nan) for unit in UNITS for what in ("half_share", "below_1pct")}
    for task, name in enumerate(problem.tasks):
        told_as = f"importance of heads and columns in {name}"
        make = partial(importance, problem.context, task, rows)
        found = _once(problem, task, ("importance", IMPORTANCE_VERSION), rows, partial(told, told_as), make)
        for unit, values in found.items():
            columns[f"{unit}_half_share"][task], columns[f"{unit}_below_1pct"][task] = least(values)
    return columns


def leaving(problem: WorkloadProblem, rows: int, told: ProgressCallback) -> Columns:
    """How often an answer read off a layer is the last one, and how many inputs are sure enough to leave by then."""
    columns = {name: np.full((len(problem.tasks), problem.layers), np.nan) for name in ("exit_agrees", "exit_leaves")}
    for task, name in enumerate(problem.tasks):
        make = partial(fit_exits, problem.context, task, rows)
        found = _once(problem, task, ("exits", None), rows, partial(told, f"early exits of {name}"), make)
        columns["exit_agrees"][task, found["layers"]] = found["agrees"]
        columns["exit_leaves"][task, found["layers"]] = (found["sure"] >= SURE).mean(axis=1)
    return columns


def _once(
    problem: WorkloadProblem,
    task: int,
    what: tuple[str, int | None],
    rows: int,
    told: Callable[[float], None],
    make: Callable[[], dict[str, NDArray[Any]]],
) -> dict[str, NDArray[Any]]:
    """Measure something of one task, unless that has been done."""

    def measured() -> dict[str, NDArray[Any]]:
        told(task / len(problem.tasks))
        return make()

    name, version = what
    versions = [version, *problem.context.core_versions]
    key = {"measured": name, "version": versions, "rows": rows, "digests": _digests(problem, task)}
    return problem.context.arrays.find_or_make("redundancy", key, measured)


def _digests(problem: WorkloadProblem, *tasks: int) -> list[str]:
    """What the weights and rows of some tasks come from, and the base."""
    digests = problem.workload.digests
    names = [problem.tasks[task] for task in tasks]
    return [digests["base"], *(digests[f"{part}.{name}"] for name in names for part in ("task", "data"))]
