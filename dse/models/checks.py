"""Checks that a task fits the base: the length of its texts, and its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dse.errors import CheckpointError
from dse.models.encoder import Decomposed
from dse.records.workload import Encoder
from dse.space.workload import TaskSpec

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Model types that reserve their first positions for padding."""


def check_length(task: TaskSpec, config: Any) -> None:
    """Refuse a longest text that exceeds the positions of a base with this configuration.

    Raises:
        CheckpointError: the task keeps more tokens.
    """
    offset = int(getattr(config, "pad_token_id", 0) or 0) + 1 if config.model_type in OFFSET_POSITIONS else 0
    positions = int(getattr(config, "max_position_embeddings", task.max_length)) - offset
    if task.max_length > positions:
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
