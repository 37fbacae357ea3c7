"""The adapter of trained `lora`: two thin factors beside each matrix."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dse import plugin
from dse_plugins.shared import Key, name_of

VERSION = 1
"""Version of the adapter, part of the cache key; each change of its behaviour raises it."""
RATES = {"down": 10.0, "up": 10.0, "": 8.0}
"""Multiples of the task's learning rate: few numbers are trained, so each must move further in the same steps."""


class Factors(nn.Module):
    """The base on its 8-bit grid, and beside it a product of two factors that begins at zero.

    Args:
        base: the base's matrices.
        scales: steps of their grids.
        rank: rank of the product.
    """

    def __init__(self, base: Mapping[Key, Tensor], *, scales: Mapping[Key, Tensor], rank: int) -> None:
        super().__init__()
        self.rates = RATES
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for key, weight in base.items():
            outputs, inputs = weight.shape
            name = name_of(key)
            self.register_buffer(f"base_{name}", plugin.quantise(weight, scales[key]) * scales[key], persistent=False)
            self.down[name] = nn.Parameter(torch.randn(min(rank, outputs, inputs), inputs) / inputs**0.5)
            self.up[name] = nn.Parameter(torch.zeros(outputs, min(rank, outputs, inputs)))

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        """Return the matrix (outputs, inputs) of this task."""
        del weight
        name = name_of(key)
        beside: Tensor = self.up[name] @ self.down[name]
        return self.get_buffer(f"base_{name}") + beside
