"""Losses of a joint training: distance from labels, and from the outputs of the tasks' own fine-tuned models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dse.cache import ArrayCache
from dse.errors import DataError
from dse.models.data.text import Encoded, encode, iterate_batches
from dse.models.precision import has_bf16
from dse.models.training import finetune
from dse.records.training import Training

if TYPE_CHECKING:
    from dse.models.loaded_task import LoadedTask
    from dse.models.loaded_workload import LoadedWorkload

TEMPERATURE = 2.0
"""Temperature that softens the followed outputs."""
TEACHING_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A task's training rows.

    Attributes:
        tokens: tokens of each row.
        targets: labels, shape (n,).
        followed: outputs of a task's own model on these rows, shape (n, classes), by the task's place in the training.
    """

    tokens: Encoded
    targets: Tensor
    followed: dict[int, Tensor]


def rows(work: LoadedWorkload, tasks: list[LoadedTask], at: int, training: Training) -> Rows:
    """Return a task's training rows, the same that its own model was fine-tuned on, with the outputs to follow.

    Raises:
        DataError: the task has a ready checkpoint, and its data name no rows for fitting.
    """
    task, settings = tasks[at], tasks[at].spec.fine_tune
    train = task.splits.train
    if not len(train):
        raise DataError(
            f"task {task.spec.name!r} has no rows for fitting, which a trained encoder needs",
            where=f"data table of task {task.spec.name!r}",
            expected="train = FILE, with the rows that the checkpoint was fine-tuned on",
            found="rows that are held out, since the task has a ready checkpoint",
        )
    chosen = np.random.default_rng(settings.seed).permutation(len(train))[: settings.max_rows]
    frame = train.iloc[chosen].reset_index(drop=True)
    followed = [at] if training.distil else []
    followed += [other for other in range(len(tasks)) if training.across and other != at]
    return Rows(
        encode(task.tokenizer, frame, task.spec.max_length),
        finetune.targets(task.spec, frame, task.model()[1]),
        {other: torch.from_numpy(_outputs(work, tasks[other], task, frame)) for other in followed},
    )


def _outputs(work: LoadedWorkload, teacher: LoadedTask, of: LoadedTask, frame: pd.DataFrame) -> NDArray[Any]:
    """Return the cached logits (n, classes) of a task's own model on the training rows of a task."""
    settings = of.spec.fine_tune
    key = {
        "version": TEACHING_VERSION,
        "teacher": [teacher.content, work.base_digest],
        "rows": [of.data_digest, settings.seed, settings.max_rows],
        "bf16": has_bf16(work.device),
    }

    def make() -> dict[str, NDArray[Any]]:
        if work.progress is not None:
            work.progress(f"answers of {teacher.spec.name} to rows of {of.spec.name}", None)
        return {"logits": _run(work, teacher, encode(teacher.tokenizer, frame, of.spec.max_length))}

    return ArrayCache(work.cache).find_or_make("joint", key, make)["logits"]


def _run(work: LoadedWorkload, teacher: LoadedTask, tokens: Encoded) -> NDArray[Any]:
    model: Any = teacher.model()[0]
    model.to(work.device).eval()
    bf16 = finetune.use_bf16(model, work.device)
    with torch.inference_mode(), torch.autocast(work.device, torch.bfloat16, enabled=bf16):
        parts = [
            (rows, model(**inputs).logits.float().cpu().numpy())
            for rows, inputs in iterate_batches(tokens, work.device)
        ]
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    return np.concatenate([logits for _, logits in parts])[order]


def follow_model(task: LoadedTask, at: int, logits: Tensor, given: Rows, chosen: NDArray[Any]) -> Tensor:
    """Return the distance from the answers of a task's own model to the same rows; ``at`` is that task's place."""
    followed = given.followed[at][chosen].to(logits.device)
    if task.spec.kind == "regression":
        return functional.mse_loss(logits, followed)
    target = (followed / TEMPERATURE).softmax(-1)
    return functional.kl_div((logits / TEMPERATURE).log_softmax(-1), target, reduction="batchmean") * TEMPERATURE**2
