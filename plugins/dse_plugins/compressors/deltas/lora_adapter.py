"""The adapter of trained `lora`: two thin factors beside each matrix."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dse import plugin

Key = tuple[int, int]
VERSION = 1
"""Raised when the adapter would learn something else."""
RATES = {"down": 10.0, "up": 10.0, "": 8.0}
"""Multiples of the task's learning rate: few numbers are trained, so each must go further in as many steps."""


class Factors(nn.Module):
    """The base on its 8-bit grid, and a product beside it that begins as nothing.

    Args:
        base: the base's matrices.
        scales: their grids.
        rank: of the product.
    """

    def __init__(self, base: Mapping[Key, Tensor], *, scales: Mapping[Key, Tensor], rank: int) -> None:
        super().__init__()
        self.rates = RATES
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for key, weight in base.items():
            outputs, inputs = weight.shape
            name = _name(key)
            self.register_buffer(f"base_{name}", plugin.quantise(weight, scales[key]) * scales[key], persistent=False)
            self.down[name] = nn.Parameter(torch.randn(min(rank, outputs, inputs), inputs) / inputs**0.5)
            self.up[name] = nn.Parameter(torch.zeros(outputs, min(rank, outputs, inputs)))

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        """The matrix (outputs, inputs) of this task."""
        del weight
        name = _name(key)
        beside: Tensor = self.up[name] @ self.down[name]
        return self.get_buffer(f"base_{name}") + beside


def _name(key: Key) -> str:
    return f"{key[0]}-{key[1]}"
