"""Modules in the places of an encoder's layers: a layer that is skipped, and a layer whose outputs are repeated."""

from typing import Any

from torch import Tensor, nn


class Slot(nn.Module):
    """Module in a layer's place; a model that reads attributes of the layer, such as its kind of attention, gets them.

    Args:
        layer: layer whose place the module takes.
        owns: whether the layer's parameters count as parameters of the model.
    """

    def __init__(self, layer: nn.Module, *, owns: bool) -> None:
        super().__init__()
        self._layer = [layer]  # a list hides it from torch
        self.layer = layer if owns else None

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["_layer"][0], name)


class Skip(Slot):
    """Module in the place of a layer that is skipped.

    Args:
        layer: layer that is skipped.
        returns: number of values that a layer returns; 0 if it returns its hidden state alone.
    """

    def __init__(self, layer: nn.Module, returns: int) -> None:
        super().__init__(layer, owns=False)
        self._returns = returns

    def forward(self, hidden_states: Tensor, *_others: Any, **_named: Any) -> Any:
        """Return the hidden state as it came."""
        return like_layer(hidden_states, self._returns)


class Repeat(Slot):
    """Module that runs a layer once and then repeats its outputs, until they are forgotten."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__(layer, owns=True)
        self.outputs: Any = None

    def forward(self, *values: Any, **named: Any) -> Any:
        """Return the layer's outputs."""
        if self.outputs is None:
            self.outputs = self._layer[0](*values, **named)
        return self.outputs


def like_layer(hidden: Tensor, returns: int) -> Any:
    """Return a hidden state as a layer would that returns this number of values."""
    return (hidden, *[None] * (returns - 1)) if returns else hidden
