"""Checks that a task fits the base: the length of its texts, and its checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from dse.errors import CheckpointError, SourceError
from dse.models.encoder import Decomposed
from dse.records.workload import Encoder
from dse.space.workload import TaskSpec


@contextmanager
def name_refusals(owner: str, source: str) -> Iterator[None]:
    """Add the owner and the folder of a model to errors inside that do not name them, such as those of a model's modules."""
    try:
        yield
    except (CheckpointError, SourceError) as error:
        for part in error.problems or [error]:
            said = f"{part.what} {part.where}"
            places = [part.where, *(name for name in (source, owner) if name not in said)]
            part.where = ", ".join(str(place) for place in places if place)
        raise


def longest_input(model: PreTrainedModel) -> int | None:
    """Return the largest number of tokens that an encoder has positions for; None if it has no such limit.

    Positions of padding do not count as positions of text: a table that has a row for padding begins after this row, as RoBERTa's does.
    """
    limits = [int(getattr(model.config, "max_position_embeddings", None) or 0)]
    inside = {module for layer in Decomposed(model, trace=False).layers for module in layer.modules()}
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and "position" in name and module not in inside:
            limits.append(module.num_embeddings - (0 if module.padding_idx is None else module.padding_idx + 1))
    return min((limit for limit in limits if limit > 0), default=None)


def check_length(task: TaskSpec, positions: int | None, owner: str = "the base") -> None:
    """Refuse a longest text that exceeds the positions of a base or checkpoint, see `longest_input`.

    Raises:
        CheckpointError: the task keeps more tokens.
    """
    if positions is not None and task.max_length > positions:
        raise CheckpointError(
            f"task {task.name!r} keeps more tokens than {owner} has positions for: max_length is too large",
            where=f"max_length of task {task.name!r}",
            expected=f"at most {positions}",
            found=task.max_length,
        )


def check_token_types(task: TaskSpec, model: PreTrainedModel, tokenizer: Any, source: str) -> None:
    """Refuse pairs of texts if a model has fewer token types than the tokenizer gives them.

    Raises:
        CheckpointError: the model has no embedding for a text of the pair.
    """
    last = max(tokenizer("a", "b").get("token_type_ids") or [0])
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) and "token_type" in name and module.num_embeddings <= last:
            raise CheckpointError(
                f"task {task.name!r} has pairs of texts, and the model has too few token types for them",
                where=f"{source}, {name}",
                expected=f"{last + 1} token types, as the tokenizer gives them",
                found=module.num_embeddings,
                fix="use a model that was trained on pairs, or a tokenizer that gives both texts the same type",
            )


def check_checkpoint(task: TaskSpec, model: PreTrainedModel, base: Encoder, family: str) -> None:
    """Refuse a checkpoint whose family or shape differs from the base's, with too few positions, or no output of a regression.

    Args:
        task: task of the checkpoint.
        model: the checkpoint.
        base: shape of the base.
        family: ``model_type`` of the base: models of two families compute differently with weights of the same shapes.

    Raises:
        CheckpointError: the checkpoint does not fit.
    """
    if model.config.model_type != family:
        fault = f"the checkpoint of task {task.name!r} belongs to a different family of models from the base"
        families = {"expected": f"model_type {family}", "found": f"model_type {model.config.model_type}"}
        fix = "use a checkpoint that was fine-tuned from the base, or the base that it was fine-tuned from"
        raise CheckpointError(fault, where=task.checkpoint, fix=fix, **families)
    check_length(task, longest_input(model), f"the checkpoint {task.checkpoint}")
    actual = Decomposed(model).shape()
    if (base.layers, base.heads, base.matrices) != (actual.layers, actual.heads, actual.matrices):
        raise CheckpointError(
            f"the checkpoint of task {task.name!r} has a different architecture from the base",
            where=task.checkpoint,
            expected=f"{base.layers} layers with {base.heads} heads of {[(m.name, m.columns, m.rows) for m in base.matrices]}",
            found=f"{actual.layers} layers with {actual.heads} heads of {[(m.name, m.columns, m.rows) for m in actual.matrices]}",
        )
    if task.kind == "regression" and model.config.num_labels != 1:
        raise CheckpointError(
            f"the checkpoint of task {task.name!r} is not a regression: it has several outputs",
            where=task.checkpoint,
            expected="one output",
            found=f"{model.config.num_labels} outputs",
            fix="use a checkpoint that was trained for this regression, or set kind = classification",
        )
