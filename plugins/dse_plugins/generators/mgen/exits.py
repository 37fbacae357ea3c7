"""Early exits: heads fitted in closed form to a model's final answers, and the share of inputs that leave at each.

As in DeeBERT (Xin et al., ACL 2020) an input leaves after the first layer with an answer that is sure enough.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.shared import Array
from dse_plugins.shared.measuring import task_digests

Fitted = dict[str, Array]


def trunk_key(workload: plugin.Workload, task: int, training: plugin.Training) -> dict[str, Any]:
    """Everything that a trunk and the rows of one of its tasks depend on, for a key of the cache."""
    together = sorted(workload.digests.items())
    return task_digests(workload, task) | {"training": repr(training), "together": together}


def fit_once(context: plugin.Context, task: int, rows: int, training: plugin.Training | None = None) -> Fitted:
    """Return the heads of `dse.fit_exits` from the cache; a given training is done first and its encoder is used."""
    workload = context.workload
    name = workload.task_names[task]
    key = task_digests(workload, task) if training is None else trunk_key(workload, task, training)
    title = f"early exits of {name}" + (f", {len(training.layers)} layers" if training is not None else "")

    def make() -> Fitted:
        return plugin.fit_exits(context, task, rows, None if training is None else context.trained(training))

    return context.cached(title, key | {"rows": rows}, make)


def stack(tasks: Iterable[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> plugin.Exits:
    """Join the tasks' parameters and shares of inputs."""
    parameters, reach = (np.stack(values, axis=1) for values in zip(*tasks, strict=True))
    return plugin.Exits(parameters, reach)


def plan_exits(
    fitted: Fitted, runs: Sequence[int], thresholds: Array, asked: Array, layers: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Parameters of the heads in use, and the expected share of inputs that run each layer, both of shape (P, L).

    Args:
        fitted: arrays of `dse.fit_exits`.
        runs: layers that run, ascending.
        thresholds: smallest confidence with which an input leaves, shape (P,); at 1 no head is used.
        asked: number of layers, from the first on, after which an input may leave, shape (P,).
        layers: number of layers of the encoder, L.
    """
    parameters = np.zeros((len(thresholds), layers), dtype=np.int64)
    reach = np.ones((len(thresholds), layers))
    size = fitted["weight"].shape[1] * (fitted["weight"].shape[2] + 1)
    still = np.ones(len(thresholds))
    for place, layer in enumerate(runs):
        reach[:, layer] = still
        at = np.flatnonzero(fitted["layers"] == layer)
        if not len(at):
            continue
        leaving = (thresholds < 1) & (place < asked)
        sure = fitted["sure"][at[0]]
        share = np.searchsorted(sure, thresholds, side="left") / max(len(sure), 1)
        still = np.where(leaving, np.minimum(share, still), still)
        parameters[:, layer] = np.where(leaving, size, 0)
    return parameters, reach


def heads(fitted: Fitted, runs: Sequence[int], threshold: float, asked: int) -> dict[int, plugin.ExitHead]:
    """Heads by the layer after which they answer, from one threshold and the arguments of `plan_exits`."""
    if threshold >= 1:
        return {}
    return {
        int(layer): plugin.ExitHead(torch.from_numpy(weight), torch.from_numpy(bias), float(threshold))
        for layer, weight, bias in zip(fitted["layers"], fitted["weight"], fitted["bias"], strict=True)
        if list(runs).index(int(layer)) < asked
    }


def confidence() -> plugin.Parameter:
    """Declare the smallest confidence of an early answer, for each task."""
    return plugin.Float(
        name="confidence", low=0.7, high=1.0, default=1.0, limits=(0.0, 1.0), scope=("task",),
        summary="smallest confidence of an answer with which an input leaves early; at 1, no input leaves early",
    )  # fmt: skip
