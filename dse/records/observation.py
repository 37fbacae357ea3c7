"""Observations: inputs and gradients of a model that runs training rows, as a plugin sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dse.records.arrays import Tensor


@dataclass(frozen=True, slots=True)
class Observation:
    """Rows that a fine-tuned model ran together, by (layer, matrix).

    Attributes:
        inputs: (rows, tokens, inputs) float32 inputs of each matrix.
        gradients: (rows, tokens, outputs) float32 gradients at each matrix's outputs, of the logits' sum under normal random
            weights: a change of the outputs times these, summed over a row's tokens, has the expected square of the change
            in the logits.
        mask: (rows, tokens) mask, False where a token is padding.
        logits: (rows, classes) float32 answers of the model; one column for a regression.
        states: (rows, tokens, hidden) float32 outputs of each layer that ran, by layer.
    """

    inputs: Mapping[tuple[int, int], Tensor]
    gradients: Mapping[tuple[int, int], Tensor]
    mask: Tensor
    logits: Tensor
    states: Mapping[int, Tensor] = field(default_factory=dict)
