"""The adapter of trained `piggyback`: a real mask over every weight, cut at a threshold."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dse import plugin
from dse_plugins.shared import Key, name_of

VERSION = 1
"""Version of the adapter, part of the cache key; each change of its behaviour raises it."""
RATES = {"mask": 2.0, "": 8.0}
"""Multiples of the task's learning rate."""
BEGIN, THRESHOLD = 1e-2, 5e-3
"""Initial value of the real mask, and the threshold that cuts it, as in the paper."""


class Mask(nn.Module):
    """The base on its 8-bit grid, zero where the real mask is below the threshold; gradients pass straight through.

    Args:
        base: the base's matrices.
        scales: steps of their grids.
    """

    def __init__(self, base: Mapping[Key, Tensor], *, scales: Mapping[Key, Tensor]) -> None:
        super().__init__()
        self.rates = RATES
        self.mask = nn.ParameterDict({name_of(key): torch.full_like(weight, BEGIN) for key, weight in base.items()})
        for key, weight in base.items():
            held = plugin.quantise(weight, scales[key]) * scales[key]
            self.register_buffer(f"base_{name_of(key)}", held, persistent=False)

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        """Return the matrix (outputs, inputs) of this task."""
        del weight
        real = self.mask[name_of(key)]
        stays = real + ((real > THRESHOLD).float() - real).detach()
        masked: Tensor = self.get_buffer(f"base_{name_of(key)}") * stays
        return masked

    def state_dict(self, *args: object, **named: object) -> dict[str, Tensor]:  # type: ignore[override]  # only the stored part
        """Return for each weight whether it stays, one byte per weight."""
        del args, named
        return {f"mask.{name}": (real.detach() > THRESHOLD).to(torch.int8) for name, real in self.mask.items()}
