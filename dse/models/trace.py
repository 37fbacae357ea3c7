"""What an encoder's layers do with a few tokens: the order in which they run, and the inputs of their matrices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dse.errors import CheckpointError

IDS = ((3, 4, 5, 6), (3, 4, 5, 3))
"""Token ids of the rows of a trace, which differ in their last token alone."""
SIDES = (len(IDS), len(IDS[0]))
"""Rows and tokens of a trace."""
FAMILIES = (
    "an encoder whose tokens see each other, such as BERT, RoBERTa, DeBERTa, ALBERT or ModernBERT (docs/families.md)"
)


@dataclass(slots=True)
class Trace:
    """A run of a model on the rows `IDS`.

    Attributes:
        order: index of each layer that ran, in order.
        hidden: hidden state that the first layer received.
        returned: values that the first layer returned.
        last: hidden state that the last layer returned.
        inputs: tensors that each linear module of the first layer received, by module path.
        error: error with which the run ended.
    """

    order: list[int] = field(default_factory=list)
    hidden: Any = None
    returned: Any = None
    last: Any = None
    inputs: dict[str, list[Tensor]] = field(default_factory=dict)
    error: Exception | None = None

    @property
    def returns(self) -> int:
        """Number of values that a layer returns; 0 if it returns its hidden state alone."""
        return len(self.returned) if isinstance(self.returned, tuple) else 0


def trace(model: nn.Module, layers: Sequence[nn.Module], paths: Sequence[str]) -> Trace:
    """Run a few tokens through a model, and observe its layers and the linear modules of the first layer."""
    seen = Trace(inputs={path: [] for path in paths})

    def enter(index: int, arguments: tuple[Any, ...]) -> None:
        seen.order.append(index)
        if index == 0 and seen.hidden is None:
            seen.hidden = arguments[0] if arguments else None

    def leave(index: int, output: Any) -> None:
        if index == 0 and seen.returned is None:
            seen.returned = output
        seen.last = output[0] if isinstance(output, tuple) else output

    hooks = []
    for index, layer in enumerate(layers):
        hooks.append(layer.register_forward_pre_hook(lambda _, values, at=index: enter(at, values)))
        hooks.append(layer.register_forward_hook(lambda _, __, output, at=index: leave(at, output)))
    for path in paths:
        linear = layers[0].get_submodule(path)
        hooks.append(linear.register_forward_pre_hook(lambda _, values, to=seen.inputs[path]: to.append(values[0])))
    training = model.training
    try:
        with torch.no_grad():
            ids = torch.tensor(IDS, device=next(model.parameters()).device)
            model.eval()(input_ids=ids, attention_mask=torch.ones_like(ids))
    except Exception as error:
        seen.error = error
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return seen


def unfit_error(model: nn.Module | str, what: str, expected: object = None, found: object = None) -> CheckpointError:
    """Build the error for a model, or a part of it with this path, that is not an encoder as `dse` runs them."""
    where = model if isinstance(model, str) else type(model).__name__
    return CheckpointError(what, where=where, expected=expected, found=found, fix=f"use {FAMILIES}")


def check_trace(model: nn.Module, seen: Trace, count: int) -> None:
    """Refuse a model that is not an encoder of ``count`` layers, each run once on hidden states (rows, tokens, hidden).

    Raises:
        CheckpointError: the model is a decoder, repeats layers, arranges its hidden states otherwise, or does not run.
    """
    refuse = partial(unfit_error, model)
    shape = tuple(getattr(seen.hidden, "shape", ()))
    if seen.order and shape[:2] != SIDES:
        raise refuse(
            "the encoder's layers do not see one state per token",
            f"hidden states of {SIDES[0]} rows by {SIDES[1]} tokens",
            f"hidden states of shape {shape}",
        )
    if len(set(seen.order)) < len(seen.order):
        raise refuse(
            "the encoder runs its layers more than once, which is not supported",
            f"{len(seen.order)} layers, one per pass",
            count,
        )
    if seen.last is not None and len(seen.order) == count and torch.equal(seen.last[0, 0], seen.last[1, 0]):
        raise refuse("the model is a decoder", "tokens that see the tokens after them", "a first token that sees none")
    if seen.error is not None:
        reason = (str(seen.error).splitlines() or [type(seen.error).__name__])[0]
        raise refuse("the model does not run on token ids and a mask alone", "logits", reason)
    if seen.order != list(range(count)):
        raise refuse("the encoder does not run its layers one after another", list(range(count)), seen.order)


def is_per_token(values: Tensor) -> bool:
    """Return whether a linear module received one vector for each token."""
    return values.ndim == 3 and tuple(values.shape[:2]) == SIDES


def is_constant(values: Tensor) -> bool:
    """Return whether a linear module received the same vectors for all rows: embeddings of relative positions."""
    return values.ndim == 2 or values.shape[0] == 1


def runs_in_bf16(model: nn.Module, device: str) -> bool:
    """Return whether a model runs where torch chooses 16-bit brain floats; some fill a mask with the smallest float32."""
    training = model.training
    try:
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
            model.eval()(input_ids=torch.tensor(IDS, device=device))
    except RuntimeError:
        return False
    finally:
        model.train(training)
    return True
