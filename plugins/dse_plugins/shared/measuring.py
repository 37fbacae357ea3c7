"""Measurements of each task's fine-tuned model, made once and found again in the cache."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from dse import plugin
from dse_plugins.shared import Array, Key, Tensor


def task_digests(workload: plugin.Workload, task: int) -> dict[str, Any]:
    """Return the digests of the base, of a task's fine-tuned model and of its rows, for a key of the cache."""
    name = workload.task_names[task]
    return {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}


def measure_each_task(
    context: plugin.Context,
    subject: str,
    key: Mapping[str, Any],
    measure: Callable[[plugin.Context, int], dict[str, Array]],
) -> list[dict[str, Array]]:
    """Return the measured arrays of each task, from the cache where they were measured before.

    Args:
        context: context of the study.
        subject: the quantity that is measured, for the progress line.
        key: everything the arrays depend on besides the task.
        measure: function that measures one task, from the context and the task's index.
    """
    workload = context.workload
    return [
        context.cached(f"{subject} of {name}", {**task_digests(workload, task), **key}, partial(measure, context, task))
        for task, name in enumerate(workload.task_names)
    ]


def stack_matrices(parts: Mapping[Key, Tensor], encoder: plugin.Encoder) -> Array:
    """Put the values (n, ...) of all matrices into one table (n, L, values of all matrices in order)."""
    indices = range(len(encoder.matrices))
    rows = [
        np.concatenate([parts[layer, index].flatten(start_dim=1).numpy() for index in indices], axis=1)
        for layer in range(encoder.layers)
    ]
    return np.stack(rows, axis=1)
