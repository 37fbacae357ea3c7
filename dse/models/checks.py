"""Checks that a task fits the base: the length of its texts, and its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dse.errors import CheckpointError
from dse.models.encoder import Decomposed
from dse.records.workload import Encoder
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def longest_input(model: PreTrainedModel) -> int | None:
    """Return the most tokens that an encoder has positions for; None if it has no such limit.

    Positions of padding are none of text: a table that has a row for padding begins after this row, as RoBERTa's does.
    """
    from torch import nn

    limits = [int(getattr(model.config, "max_position_embeddings", None) or 0)]
    inside = {module for layer in Decomposed(model, trace=False).layers for module in layer.modules()}
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and "position" in name and module not in inside:
            limits.append(module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1))
    return min((limit for limit in limits if limit > 0), default=None)


def check_length(task: TaskSpec, positions: int | None) -> None:
    """Refuse a longest text that exceeds the positions of a base, see `longest_input`.

    Raises:
        CheckpointError: the task keeps more tokens.
    """
    if positions is not None and task.max_length > positions:
        raise CheckpointError(
            f"task {task.name!r} keeps more tokens than the base has positions for: max_length is too large",
            where=f"max_length of task {task.name!r}",
            expected=f"at most {positions}",
            found=task.max_length,
        )


def check_checkpoint(task: TaskSpec, model: PreTrainedModel, base: Encoder) -> None:
    """Refuse a checkpoint with another architecture than the base, or a regression with several outputs.

    Raises:
        CheckpointError: the checkpoint does not fit.
    """
    actual = Decomposed(model).shape()
    if (base.layers, base.matrices) != (actual.layers, actual.matrices):
        raise CheckpointError(
            f"the checkpoint of task {task.name!r} has another architecture than the base",
            where=task.checkpoint,
            expected=f"{base.layers} layers of {[(m.name, m.columns, m.rows) for m in base.matrices]}",
            found=f"{actual.layers} layers of {[(m.name, m.columns, m.rows) for m in actual.matrices]}",
        )
    if task.kind == "regression" and model.config.num_labels != 1:
        raise CheckpointError(
            f"the checkpoint of task {task.name!r} is no regression: it has several outputs",
            where=task.checkpoint,
            expected="one output",
            found=f"{model.config.num_labels} outputs",
            fix="use a checkpoint that was trained for this regression, or set kind = classification",
        )
