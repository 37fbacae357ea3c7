"""The adapter of the trained route: a mask over PEs, weights of the picked PEs, and factors of the others' columns."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dse import plugin
from dse_plugins.compressors.shared.tiling import Tiling
from dse_plugins.compressors.xma2.factors import round_factors
from dse_plugins.shared import ROUNDING, Key, name_of

SELECTING = 0.25
"""Share of the training steps in which the mask is learnt; then it is fixed."""
RATES = {"deltas": 5.0, "factors": 50.0, "mask": 100.0, "": 8.0}
"""Multiples of the task's learning rate: few numbers are trained, so each must move further in the same steps."""


class TwoTiers(nn.Module):
    """Adapts the base's matrices to one task.

    While the mask is learnt, every PE has a delta that is trained, and the PEs with the largest mask values use theirs.
    Gradients pass this choice straight through: deltas get them as if all were used, and the mask gets the change that
    using a delta would make. Then the choice is fixed, and training goes on for the rest.

    Args:
        base: the base's matrices.
        scales: steps of their 8-bit grids.
        encoder: shapes of the matrices.
        tiling: cut of the matrices into PEs.
        share: share of PEs that are picked.
        kind: kind of the factors.
    """

    def __init__(
        self,
        base: Mapping[Key, Tensor],
        *,
        scales: Mapping[Key, Tensor],
        encoder: plugin.Encoder,
        tiling: Tiling,
        share: float,
        kind: str,
    ) -> None:
        super().__init__()
        self.rates = RATES
        self._encoder, self._tiling, self._kind = encoder, tiling, kind
        tiles = tiling.starts(encoder)[-1]
        self._picked = int(share * encoder.layers * tiles + ROUNDING)
        self._scales = {name_of(key): float(scale) for key, scale in scales.items()}
        for key, weight in base.items():
            self.register_buffer(f"base_{name_of(key)}", plugin.quantise(weight, scales[key]), persistent=False)
        some = self._picked > 0
        self.deltas = nn.ParameterDict({name_of(key): torch.zeros_like(base[key]) for key in base if some})
        self.mask = nn.Parameter(torch.zeros(encoder.layers, tiles))
        blocks = {key: tiling.row_blocks(encoder.matrices[key[1]]) for key in base if kind != "none"}
        self.factors = nn.ParameterDict({name_of(key): torch.zeros(blocks[key], len(base[key])) for key in blocks})
        self._gates = torch.zeros(encoder.layers, tiles, dtype=torch.bool)
        self._selecting = True

    def begin(self, share: float) -> None:
        """Pick PEs again while the mask is learnt; then fix them."""
        if self._selecting:
            order = self.mask.detach().flatten().argsort(descending=True, stable=True)
            gates = torch.zeros(order.numel(), dtype=torch.bool, device=order.device)
            gates[order[: self._picked]] = True
            self._gates = gates.view_as(self.mask)
        self._selecting = share < SELECTING and 0 < self._picked < self.mask.numel()

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        """Return the matrix (outputs, inputs) of this task."""
        del weight
        (layer, index), name = key, name_of(key)
        codes, scale = self.get_buffer(f"base_{name}"), self._scales[name]
        scaled = codes * scale
        if self._kind != "none":
            rows = codes.shape[1]
            scaled = scaled * self._factor(name).repeat_interleave(self._tiling.rows, dim=0)[:rows].T
        gates = self._tiling.of_matrix(self._gates[layer], self._encoder, index)
        if not self._picked or not (self._selecting or bool(gates.any())):
            return scaled
        delta = self.deltas[name]
        own = (codes + _straight(delta / scale, (delta / scale).round())).clamp(-128, 127) * scale
        chosen = self._spread(gates, codes)
        if not self._selecting:
            return torch.where(chosen, own, scaled)
        soft = self._tiling.of_matrix(self.mask[layer], self._encoder, index).sigmoid()
        hard = self._spread(gates + (soft - soft.detach()), codes)
        unused = torch.where(chosen, 0.0, delta - delta.detach())  # zero, but it has a gradient
        return scaled + (own - scaled) * hard + unused

    def state_dict(self, *args: object, **named: object) -> dict[str, Tensor]:  # type: ignore[override]  # only the stored part
        """Return codes of the picked PEs' matrices, factors, and the mask with the picked PEs first."""
        del args, named
        state = {"mask": self.mask.detach() + self._gates * (1 + self.mask.detach().abs().max() * 2)}
        for name, delta in self.deltas.items():
            steps = (delta.detach() / self._scales[name]).round()
            codes = (self.get_buffer(f"base_{name}") + steps).clamp(-128, 127)
            state[f"codes.{name}"] = codes.to(torch.int8)
        values = {name: value.detach() + 1 for name, value in self.factors.items()}
        return state | {f"factors.{name}": round_factors(value, self._kind) for name, value in values.items()}

    def _factor(self, name: str) -> Tensor:
        value = 1 + self.factors[name]
        return value if self._kind == "real" else _straight(value, round_factors(value, self._kind))

    def _spread(self, values: Tensor, like: Tensor) -> Tensor:
        """Return the value of every weight's PE."""
        wide = values.repeat_interleave(self._tiling.columns, dim=0)[: like.shape[0]]
        return wide.repeat_interleave(self._tiling.rows, dim=1)[:, : like.shape[1]]


def _straight(value: Tensor, forward: Tensor) -> Tensor:
    """Return the forward value, with the gradient of the value that it was made from."""
    return value + (forward - value).detach()
