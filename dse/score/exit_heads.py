"""Heads of early exits, fitted in closed form to a model's final answers.

Nothing is trained: a head is a ridge regression from a layer's states to the last layer's logits on training rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.plugins.contract import Context
from dse.records.exits import ExitHead
from dse.records.model import Model

ALPHAS = np.logspace(-1, 5, 13)
"""Penalties from which a ridge regression chooses by leave-one-out error."""
FITTING = 2 / 3
"""Share of the rows that heads are fitted on; the other rows measure how sure the heads are."""
FIT_EXITS_VERSION = 2
"""Part of cache keys: raised when the same rows would give other heads."""


def fit_exits(context: Context, task: int, rows: int, model: Model | None = None) -> dict[str, NDArray[Any]]:
    """Fit a head after every layer that runs, except the last one.

    Args:
        context: context of a study.
        task: index of the task.
        rows: number of training rows.
        model: encoder and head to run instead of the task's own.

    Returns:
        ``layers`` (E,), the layers with a head; ``weight`` (E, classes, 2 hidden) and ``bias`` (E, classes) of the heads;
        ``sure`` (E, n), the largest probability at this or an earlier exit, sorted, of rows that no head was fitted on;
        ``agrees`` (E,), the share of those rows whose answer equals the last layer's. E is 0 for a regression, which has
        no probability.
    """
    seen: dict[int, list[NDArray[Any]]] = {}
    logits: list[NDArray[Any]] = []
    for batch in context.observe(task, rows, model):
        logits.append(batch.logits.cpu().numpy())
        for layer in sorted(batch.states)[:-1]:
            states = ExitHead.states(batch.states[layer], batch.mask)
            seen.setdefault(layer, []).append(states.cpu().numpy())
    answers = np.concatenate(logits)
    if answers.shape[1] == 1:
        seen = {}
    layers = sorted(seen)
    chosen = np.random.default_rng(0).permutation(len(answers))
    fitting, telling = np.split(chosen, [max(2, round(FITTING * len(chosen)))])
    heads = [_ridge(np.concatenate(seen[layer])[fitting], answers[fitting]) for layer in layers]
    shape = (len(layers), answers.shape[1])
    sure, agrees = np.zeros((len(layers), len(telling))), np.zeros(len(layers))
    for at, (layer, (weight, bias)) in enumerate(zip(layers, heads, strict=True)):
        early = np.concatenate(seen[layer])[telling] @ weight.T + bias
        sure[at] = _surest(early)
        agrees[at] = np.mean(early.argmax(axis=1) == answers[telling].argmax(axis=1))
    return {
        "layers": np.array(layers, dtype=np.int64),
        "weight": np.array([weight for weight, _ in heads], dtype=np.float32).reshape(*shape, -1 if layers else 0),
        "bias": np.array([bias for _, bias in heads], dtype=np.float32).reshape(shape),
        "agrees": agrees,
        "sure": np.sort(np.maximum.accumulate(sure, axis=0), axis=1),
    }


def _ridge(states: NDArray[Any], logits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Fit weight (classes, states) and bias (classes,) of a head to the logits."""
    from sklearn.linear_model import RidgeCV

    states = states.astype(np.float64)
    # One scale for all states: rounding of activations drowns a state that hardly varies, so it must not be scaled up.
    mean, spread = states.mean(axis=0), float(states.std(axis=0).mean()) + 1e-12
    regression = RidgeCV(alphas=ALPHAS).fit((states - mean) / spread, logits)
    weight = np.atleast_2d(regression.coef_) / spread
    return weight, np.atleast_1d(regression.intercept_) - weight @ mean


def _surest(logits: NDArray[Any]) -> NDArray[Any]:
    """Largest softmax probability (n,)."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised.max(axis=1) / raised.sum(axis=1))
