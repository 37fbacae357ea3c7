"""Early exits: inputs that leave an encoder before its last layer."""

from dataclasses import dataclass

from dse.records.arrays import Floats, Ints, Tensor


@dataclass(frozen=True, slots=True)
class Exits:
    """Early exits of a plan: the layers after which inputs may leave, each array (P, T, L).

    Attributes:
        parameters: number of parameters of the head that is asked after a layer whether an input leaves; 0 without a head.
        reach: expected share of a task's inputs that run the layer, measured on training rows.
    """

    parameters: Ints
    reach: Floats


@dataclass(frozen=True, slots=True)
class ExitHead:
    """Head that answers for a task after a layer; an input leaves there when the answer is sure enough.

    Attributes:
        weight: float32 (classes, 2 hidden) weights of the first token's state, and of the mean of all tokens' states.
        bias: float32 (classes,) biases.
        threshold: softmax probability, between 0 and 1; an input leaves when the largest one is at least this.
    """

    weight: Tensor
    bias: Tensor
    threshold: float

    @staticmethod
    def states(hidden: Tensor, mask: Tensor) -> Tensor:
        """Return the inputs of a head, from a layer's outputs.

        Args:
            hidden: (rows, tokens, hidden) outputs of the layer.
            mask: (rows, tokens) mask, zero where a token is padding.

        Returns:
            (rows, 2 hidden) float32: the first token's state beside the mean of all tokens' states.
        """
        import torch

        hidden, real = hidden.float(), mask.float()[..., None]
        return torch.cat([hidden[:, 0], (hidden * real).sum(dim=1) / real.sum(dim=1)], dim=1)
