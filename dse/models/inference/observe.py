"""Observation of a fine-tuned model on training rows: every matrix's inputs, and the gradients at its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from dse.models.data.text import Encoded, batch, by_length
from dse.models.encoder import Decomposed
from dse.records.observation import Observation

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

OBSERVE_VERSION = 1


def observe(
    model: PreTrainedModel,
    tokens: Encoded,
    pad: dict[str, int],
    *,
    device: str,
    seed: int = 0,
    layers: Sequence[int] | None = None,
) -> Iterator[Observation]:
    """Run rows through a model, forwards and backwards, batch by batch.

    Gradients are those of the logits' weighted sum, whose weights each row draws from a normal distribution. The mean
    square of gradient times change of an output is then the expected square of the change in the logits.

    Args:
        model: fine-tuned float32 model.
        tokens: tokenised rows.
        pad: padding value of each input.
        device: ``cpu`` or ``cuda``.
        seed: seed of the random weights.
        layers: index of each of the model's layers in the encoder; None: their place in the model.
    """
    import torch

    decomposed = Decomposed(model, trace=False)
    layers = range(len(decomposed.layers)) if layers is None else layers
    embeddings = decomposed.embedding_names()
    generator = torch.Generator().manual_seed(seed)
    inputs: dict[tuple[int, int], Tensor] = {}
    gradients: dict[tuple[int, int], Tensor] = {}

    def watch(linear: nn.Linear, key: tuple[int, int]) -> Any:
        def record(_module: object, arguments: tuple[Tensor, ...], output: Tensor) -> None:
            inputs[key] = arguments[0].detach()
            output.register_hook(lambda gradient: gradients.__setitem__(key, gradient.detach()))

        return linear.register_forward_hook(record)

    for name, value in model.named_parameters():
        # A gradient must reach every output, for which the embeddings' norm suffices; weights need no gradient.
        value.requires_grad_(name in embeddings and value.ndim == 1)
    cast("Any", model).to(device).eval()
    hooks = [
        watch(linear, (layer, index))
        for layer, linears in zip(layers, decomposed.linears, strict=True)
        for index, linear in enumerate(linears)
    ]
    try:
        for rows in by_length(tokens):
            fed = {name: value.to(device) for name, value in batch(tokens, rows, pad).items()}
            logits = model(**fed).logits
            (logits * torch.randn(logits.shape, generator=generator).to(device)).sum().backward()
            model.zero_grad()
            yield Observation(dict(inputs), dict(gradients), fed["attention_mask"].bool(), logits.detach().float())
    finally:
        for hook in hooks:
            hook.remove()
