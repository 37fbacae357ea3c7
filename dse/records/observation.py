"""What a plugin sees of a model at work on training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Observation:
    """One batch that passed through a fine-tuned model, by (layer, matrix).

    Attributes:
        inputs: (rows, tokens, inputs) float32 of each matrix.
        gradients: (rows, tokens, outputs) float32 at each matrix's outputs, of the logits' sum under normal random weights:
            a change of the outputs times these, summed over a row's tokens, has the expected square of the change in
            the logits.
        mask: (rows, tokens) False where a token is padding.
        logits: (rows, classes) float32 the model's answers; one column of a regression.
    """

    inputs: Mapping[tuple[int, int], Tensor]
    gradients: Mapping[tuple[int, int], Tensor]
    mask: Tensor
    logits: Tensor
