"""Early exits: heads fitted in closed form to what a model answers in the end, and how many inputs leave where.

As in DeeBERT (Xin et al., ACL 2020) an input leaves where an intermediate answer is sure enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin

Fitted = dict[str, NDArray[Any]]


def of_task(workload: plugin.Workload, task: int) -> dict[str, Any]:
    """What a task's fine-tuned model and rows come from."""
    name = workload.task_names[task]
    return {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}


def of_trunk(workload: plugin.Workload, task: int, training: plugin.Training) -> dict[str, Any]:
    """What a trunk and the rows of one of its tasks come from."""
    together = sorted(workload.digests.items())
    return of_task(workload, task) | {"training": repr(training), "together": together}


def fit_once(context: plugin.Context, task: int, rows: int, training: plugin.Training | None = None) -> Fitted:
    """Find what `dse.fit_exits` finds, cached; on an encoder that is trained first where one is asked for."""
    workload = context.workload
    name = workload.task_names[task]
    key = of_task(workload, task) if training is None else of_trunk(workload, task, training)
    what = f"early exits of {name}" + (f", {len(training.layers)} layers" if training is not None else "")

    def make() -> Fitted:
        return plugin.fit_exits(context, task, rows, None if training is None else context.trained(training))

    return context.cached(what, key | {"rows": rows}, make)


def stack(tasks: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> plugin.Exits:
    """Join the tasks' parameters and reach."""
    parameters, reach = (np.stack(values, axis=1) for values in zip(*tasks, strict=True))
    return plugin.Exits(parameters, reach)


def plan_exits(
    found: Fitted, runs: Sequence[int], thresholds: NDArray[Any], asked: NDArray[Any], layers: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Parameters of the heads asked, and the expected share of inputs that run each layer, both (P, L).

    Args:
        found: of `dse.fit_exits`.
        runs: layers that run, ascending.
        thresholds: (P,) an input leaves where it is at least so sure; 1: no head is asked.
        asked: (P,) how many of the layers that run may be left after, from the first on.
        layers: L.
    """
    parameters = np.zeros((len(thresholds), layers), dtype=np.int64)
    reach = np.ones((len(thresholds), layers))
    size = found["weight"].shape[1] * (found["weight"].shape[2] + 1)
    still = np.ones(len(thresholds))
    for place, layer in enumerate(runs):
        reach[:, layer] = still
        at = np.flatnonzero(found["layers"] == layer)
        if not len(at):
            continue
        leaving = (thresholds < 1) & (place < asked)
        sure = found["sure"][at[0]]
        share = np.searchsorted(sure, thresholds, side="left") / max(len(sure), 1)
        still = np.where(leaving, np.minimum(share, still), still)
        parameters[:, layer] = np.where(leaving, size, 0)
    return parameters, reach


def heads(found: Fitted, runs: Sequence[int], threshold: float, asked: int) -> dict[int, plugin.ExitHead]:
    """Heads by the layer after which they are asked; arguments as of `planned`."""
    import torch

    if threshold >= 1:
        return {}
    return {
        int(layer): plugin.ExitHead(torch.from_numpy(weight), torch.from_numpy(bias), float(threshold))
        for layer, weight, bias in zip(found["layers"], found["weight"], found["bias"], strict=True)
        if list(runs).index(int(layer)) < asked
    }


def confidence() -> plugin.Parameter:
    """How sure an answer must be, for each task."""
    return plugin.Float(
        name="confidence", low=0.7, high=1.0, default=1.0, limits=(0.0, 1.0), scope=("task",),
        summary="an input leaves early with an answer that is at least so sure; 1: none does",
    )  # fmt: skip
