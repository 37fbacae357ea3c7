"""The adapter of trained `piggyback`: a real mask over every weight, cut at a threshold."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dse import plugin

Key = tuple[int, int]
VERSION = 1
"""Raised when the adapter would learn something else."""
RATES = {"mask": 2.0, "": 8.0}
"""Multiples of the task's learning rate."""
BEGIN, THRESHOLD = 1e-2, 5e-3
"""Value of the real mask at first, and where it is cut, as in the paper."""


class Mask(nn.Module):
    """The base on its 8-bit grid, zero where the real mask is below the threshold; gradients pass the cut straight through.

    Args:
        base: the base's matrices.
        scales: their grids.
    """

    def __init__(self, base: Mapping[Key, Tensor], *, scales: Mapping[Key, Tensor]) -> None:
        super().__init__()
        self.rates = RATES
        self.mask = nn.ParameterDict({_name(key): torch.full_like(weight, BEGIN) for key, weight in base.items()})
        for key, weight in base.items():
            held = plugin.quantise(weight, scales[key]) * scales[key]
            self.register_buffer(f"base_{_name(key)}", held, persistent=False)

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        """The matrix (outputs, inputs) of this task."""
        del weight
        real = self.mask[_name(key)]
        stays = real + ((real > THRESHOLD).float() - real).detach()
        masked: Tensor = self.get_buffer(f"base_{_name(key)}") * stays
        return masked

    def state_dict(self, *args: object, **named: object) -> dict[str, Tensor]:  # type: ignore[override]  # only what is kept
        """Where weights stay, a byte each."""
        del args, named
        return {f"mask.{name}": (real.detach() > THRESHOLD).to(torch.int8) for name, real in self.mask.items()}


def _name(key: Key) -> str:
    return f"{key[0]}-{key[1]}"
