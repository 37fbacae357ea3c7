"""Early exits: heads fitted in closed form to what a model answers in the end, and how many inputs leave where.

As in DeeBERT (Xin et al., ACL 2020) an input leaves where an intermediate answer is sure enough. Nothing is trained here:
a head is a ridge regression from a layer's states to the last layer's logits on training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse

Fitted = dict[str, NDArray[Any]]
ALPHAS = np.logspace(-1, 5, 13)
"""Penalties a ridge regression chooses from by leave-one-out error, on standardised states."""
FITTING = 2 / 3
"""Share of the rows that fit; the others tell how sure the heads are."""


def fitted(context: dse.Context, task: int, rows: int, model: dse.Model | None = None) -> Fitted:
    """Fit a head after every layer that runs but the last.

    Args:
        context: of a study.
        task: index.
        rows: training rows.
        model: encoder and head to run instead of the task's own.

    Returns:
        ``layers`` (E,) after which heads are asked; ``weight`` (E, classes, 2 hidden) and ``bias`` (E, classes); ``sure``
        (E, n) largest probability at this or an earlier exit of rows that did not fit the heads, sorted. E is 0 where the
        task is a regression, which has no probability.
    """
    seen: dict[int, list[NDArray[Any]]] = {}
    logits: list[NDArray[Any]] = []
    for batch in context.observe(task, rows, model):
        ran = sorted({layer for layer, _ in batch.inputs})
        logits.append(batch.logits.cpu().numpy())
        for layer, following in pairwise(ran):  # what enters the next layer has left this one
            states = dse.ExitHead.states(batch.inputs[following, 0], batch.mask)
            seen.setdefault(layer, []).append(states.cpu().numpy())
    answers = np.concatenate(logits)
    if answers.shape[1] == 1:
        seen = {}
    layers = sorted(seen)
    chosen = np.random.default_rng(0).permutation(len(answers))
    fitting, telling = np.split(chosen, [max(2, round(FITTING * len(chosen)))])
    heads = [_ridge(np.concatenate(seen[layer])[fitting], answers[fitting]) for layer in layers]
    shape = (len(layers), answers.shape[1])
    sure = np.zeros((len(layers), len(telling)))
    for at, (layer, (weight, bias)) in enumerate(zip(layers, heads, strict=True)):
        sure[at] = _surest(np.concatenate(seen[layer])[telling] @ weight.T + bias)
    return {
        "layers": np.array(layers, dtype=np.int64),
        "weight": np.array([weight for weight, _ in heads], dtype=np.float32).reshape(*shape, -1 if layers else 0),
        "bias": np.array([bias for _, bias in heads], dtype=np.float32).reshape(shape),
        "sure": np.sort(np.maximum.accumulate(sure, axis=0), axis=1),
    }


def of_task(workload: dse.Workload, task: int) -> dict[str, Any]:
    """What a task's fine-tuned model and rows come from."""
    name = workload.task_names[task]
    return {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}


def fitted_once(context: dse.Context, task: int, rows: int, training: dse.Training | None = None) -> Fitted:
    """Find what `fitted` finds, cached; on an encoder that is trained first where one is asked for."""
    name = context.workload.task_names[task]
    key = of_task(context.workload, task) | {"rows": rows}
    if training is not None:
        key |= {"training": repr(training), "together": sorted(context.workload.digests.items())}
    what = f"early exits of {name}" + (f", {len(training.layers)} layers" if training is not None else "")

    def make() -> Fitted:
        return fitted(context, task, rows, None if training is None else context.trained(training))

    return context.cached(what, key, make)


def stacked(tasks: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> dse.Exits:
    """Join the tasks' parameters and reach."""
    parameters, reach = (np.stack(values, axis=1) for values in zip(*tasks, strict=True))
    return dse.Exits(parameters, reach)


def _ridge(states: NDArray[Any], logits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Weight (classes, states) and bias (classes,) that follow the logits."""
    from sklearn.linear_model import RidgeCV

    states = states.astype(np.float64)
    mean, spread = states.mean(axis=0), states.std(axis=0) + 1e-6
    found = RidgeCV(alphas=ALPHAS).fit((states - mean) / spread, logits)
    weight = np.atleast_2d(found.coef_) / spread
    return weight, np.atleast_1d(found.intercept_) - weight @ mean


def _surest(logits: NDArray[Any]) -> NDArray[Any]:
    """Largest softmax probability (n,)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised.max(axis=1) / raised.sum(axis=1))


def planned(
    found: Fitted, runs: Sequence[int], thresholds: NDArray[Any], asked: NDArray[Any], layers: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Parameters of the heads asked, and the expected share of inputs that run each layer, both (P, L).

    Args:
        found: of `fitted`.
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


def heads(found: Fitted, runs: Sequence[int], threshold: float, asked: int) -> dict[int, dse.ExitHead]:
    """Heads by the layer after which they are asked; arguments as of `planned`."""
    import torch

    if threshold >= 1:
        return {}
    return {
        int(layer): dse.ExitHead(torch.from_numpy(weight), torch.from_numpy(bias), float(threshold))
        for layer, weight, bias in zip(found["layers"], found["weight"], found["bias"], strict=True)
        if list(runs).index(int(layer)) < asked
    }


def confidence(low: float = 0.7) -> dse.Parameter:
    """How sure an answer must be, for each task."""
    return dse.Float(
        name="confidence", low=low, high=1.0, default=1.0, limits=(0.0, 1.0), scope=("task",),
        summary="an input leaves early with an answer that is at least so sure; 1: none does",
    )  # fmt: skip
