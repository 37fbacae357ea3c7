"""Observation of a fine-tuned model on training rows: every matrix's inputs, and the gradients at its outputs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from dse.models.data.text import Encoded, iterate_batches
from dse.models.encoder import Decomposed
from dse.models.slots import Skip
from dse.records.observation import Observation

OBSERVE_VERSION = 1


def observe(
    model: PreTrainedModel, tokens: Encoded, *, device: str, layers: Sequence[int] | None = None
) -> Iterator[Observation]:
    """Run rows through a model, forwards and backwards, batch by batch.

    Gradients are those of the logits' weighted sum, whose weights each row draws from a normal distribution. The mean
    square of gradient times change of an output is then the expected square of the change in the logits.

    Args:
        model: fine-tuned float32 model.
        tokens: tokenised rows.
        device: ``cpu`` or ``cuda``.
        layers: indices of the layers that run; None: all of them.
    """
    decomposed = Decomposed(model)
    running = set(range(len(decomposed.layers)) if layers is None else layers)
    generator = torch.Generator().manual_seed(0)
    inputs: dict[tuple[int, int], Tensor] = {}
    gradients: dict[tuple[int, int], Tensor] = {}
    states: dict[int, Tensor] = {}

    model.requires_grad_(False)  # torch takes the flag by position
    cast("Any", model).to(device).eval()
    decomposed.put({at: Skip(one, decomposed.returns) for at, one in enumerate(decomposed.layers) if at not in running})
    hooks = _watch_layers(decomposed, running, inputs, gradients, states)
    # A gradient must reach every output, for which the first layer's states suffice; weights need no gradient.
    first = decomposed.layers[min(running)]
    hooks.append(first.register_forward_pre_hook(lambda _, values: (values[0].detach().requires_grad_(), *values[1:])))
    try:
        for _, fed in iterate_batches(tokens, device):
            inputs.clear()
            logits = model(**fed).logits
            (logits * torch.randn(logits.shape, generator=generator).to(device)).sum().backward()
            mask = fed["attention_mask"].bool()
            yield Observation(dict(inputs), dict(gradients), mask, logits.detach().float(), dict(states))
    finally:
        for hook in hooks:
            hook.remove()


def _watch_layers(
    decomposed: Decomposed,
    running: Iterable[int],
    inputs: dict[tuple[int, int], Tensor],
    gradients: dict[tuple[int, int], Tensor],
    states: dict[int, Tensor],
) -> list[Any]:
    """Keep what matrices and layers receive and give in each pass; return the hooks, to be removed."""

    def watch(linear: nn.Linear, key: tuple[int, int]) -> Any:
        def record(_module: object, arguments: tuple[Tensor, ...], output: Tensor) -> None:
            if key in inputs or not output.requires_grad:
                return  # a matrix may run on relative positions too, which no text changes
            inputs[key] = arguments[0].detach()
            output.register_hook(lambda gradient: gradients.__setitem__(key, gradient.detach()))

        return linear.register_forward_hook(record)

    def keep_states(layer: int, output: Any) -> None:
        states[layer] = (output[0] if isinstance(output, tuple) else output).detach()

    watched = [watch(one, (layer, at)) for layer in running for at, one in enumerate(decomposed.linears[layer])]
    return watched + [
        decomposed.layers[layer].register_forward_hook(lambda _, __, output, at=layer: keep_states(at, output))
        for layer in running
    ]
