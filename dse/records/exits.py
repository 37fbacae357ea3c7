"""Early exits: inputs that leave an encoder before its last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.records.arrays import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Exits:
    """Where a plan lets inputs leave, and how many are expected to, each (P, T, L).

    Attributes:
        parameters: of the head that is asked after a layer whether an input leaves there; 0 where none is asked.
        reach: expected share of a task's inputs that run the layer, measured on training rows.
    """

    parameters: Ints
    reach: Floats


@dataclass(frozen=True, slots=True)
class ExitHead:
    """Answers for a task after a layer; an input leaves with that answer where it is sure enough.

    Attributes:
        weight: float32 (classes, 2 hidden): on the first token's state, and on the mean of all tokens' states.
        bias: float32 (classes,).
        threshold: an input leaves where the largest softmax probability is at least this.
    """

    weight: Tensor
    bias: Tensor
    threshold: float

    @staticmethod
    def states(hidden: Tensor, mask: Tensor) -> Tensor:
        """What a head sees of a layer's outputs.

        Args:
            hidden: (rows, tokens, hidden).
            mask: (rows, tokens) zero where a token is padding.

        Returns:
            (rows, 2 hidden) float32: the first token's state beside the mean of all tokens' states.
        """
        import torch

        hidden, kept = hidden.float(), mask.float()[..., None]
        return torch.cat([hidden[:, 0], (hidden * kept).sum(dim=1) / kept.sum(dim=1)], dim=1)
