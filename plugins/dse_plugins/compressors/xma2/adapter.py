"""The adapter of the trained route: a mask over PEs, what picked ones hold, and factors of the others' columns."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dse import plugin
from dse_plugins.compressors.shared.even import ROUNDING
from dse_plugins.compressors.shared.tiling import Tiling
from dse_plugins.compressors.xma2.factors import SHIFTED

Key = tuple[int, int]
SELECTING = 0.25
"""Share of the steps in which the mask is learnt; then it is fixed."""
RATES = {"deltas": 5.0, "factors": 50.0, "mask": 100.0, "": 8.0}
"""Multiples of the task's learning rate: few numbers are trained, so each must go further in as many steps."""


class TwoTiers(nn.Module):
    """What the base's matrices become for one task.

    While the mask is learnt every PE has a difference that is trained, and those whose mask is among the largest use it:
    gradients pass the choice straight through, to the differences as if all were used, to the mask by what using them would
    change. Then the choice is fixed, and the rest is trained on.

    Args:
        base: the base's matrices.
        scales: their 8-bit grids.
        encoder: shapes.
        tiling: how matrices are cut into PEs.
        share: of PEs that are picked.
        kind: of factors.
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
        self._scales = {key: float(scale) for key, scale in scales.items()}
        for key, weight in base.items():
            self.register_buffer(f"base_{_name(key)}", plugin.quantise(weight, scales[key]), persistent=False)
        some = self._picked > 0
        self.deltas = nn.ParameterDict({_name(key): torch.zeros_like(base[key]) for key in base if some})
        self.mask = nn.Parameter(torch.zeros(encoder.layers, tiles))
        self.factors = nn.ParameterDict(
            {
                _name(key): torch.zeros(tiling.row_blocks(matrix), matrix.columns)
                for key in base
                if (matrix := encoder.matrices[key[1]]) and kind != "none"
            }
        )
        self._gates = torch.zeros(encoder.layers, tiles, dtype=torch.bool)
        self._selecting = True

    def begin(self, share: float) -> None:
        """Pick PEs anew while the mask is learnt; fix them then."""
        if self._selecting:
            order = self.mask.detach().flatten().argsort(descending=True, stable=True)
            gates = torch.zeros(order.numel(), dtype=torch.bool, device=order.device)
            gates[order[: self._picked]] = True
            self._gates = gates.view_as(self.mask)
        self._selecting = share < SELECTING and 0 < self._picked < self.mask.numel()

    def forward(self, key: Key, weight: Tensor) -> Tensor:
        """The matrix (outputs, inputs) of this task."""
        del weight
        codes, scale = self.get_buffer(f"base_{_name(key)}"), self._scales[key]
        scaled = codes * scale
        if self._kind != "none":
            rows = codes.shape[1]
            scaled = scaled * self._factor(key).repeat_interleave(self._tiling.rows, dim=0)[:rows].T
        gates = self._of_matrix(self._gates, key)
        if not self._picked or not (self._selecting or bool(gates.any())):
            return scaled
        delta = self.deltas[_name(key)]
        own = (codes + _straight(delta / scale, (delta / scale).round())).clamp(-128, 127) * scale
        chosen = self._spread(gates, codes)
        if not self._selecting:
            return torch.where(chosen, own, scaled)
        soft = self._of_matrix(self.mask, key).sigmoid()
        hard = self._spread(gates + (soft - soft.detach()), codes)
        unused = torch.where(chosen, 0.0, delta - delta.detach())  # nothing, but for its gradient
        return scaled + (own - scaled) * hard + unused

    def learnt(self) -> dict[str, Tensor]:
        """What is stored: codes of the picked PEs' matrices, factors, and the mask with the picked ones first."""
        found = {"mask": self.mask.detach() + self._gates * (1 + self.mask.detach().abs().max() * 2)}
        for name, delta in self.deltas.items():
            key = tuple(int(part) for part in name.split("-"))
            steps = (delta.detach() / self._scales[key[0], key[1]]).round()
            codes = (self.get_buffer(f"base_{name}") + steps).clamp(-128, 127)
            found[f"codes.{name}"] = codes.to(torch.int8)
        found |= {f"factors.{name}": self._round(value.detach() + 1) for name, value in self.factors.items()}
        return found

    def state_dict(self, *args: object, **named: object) -> dict[str, Tensor]:  # type: ignore[override]  # only what is kept
        """As `learnt`."""
        del args, named
        return self.learnt()

    def _factor(self, key: Key) -> Tensor:
        value = 1 + self.factors[_name(key)]
        return value if self._kind == "real" else _straight(value, self._round(value))

    def _round(self, value: Tensor) -> Tensor:
        if self._kind == "real":
            return value.bfloat16().float()
        levels = torch.tensor((0.0, 1.0) if self._kind == "binary" else SHIFTED, device=value.device)
        nearest: Tensor = levels[(value[..., None] - levels).abs().argmin(dim=-1)]
        return nearest

    def _of_matrix(self, values: Tensor, key: Key) -> Tensor:
        """(column blocks, row blocks) of a matrix."""
        begin = self._tiling.starts(self._encoder)
        part = values[key[0], begin[key[1]] : begin[key[1] + 1]]
        return part.view(-1, self._tiling.row_blocks(self._encoder.matrices[key[1]]))

    def _spread(self, values: Tensor, like: Tensor) -> Tensor:
        """Value of every weight's PE."""
        wide = values.repeat_interleave(self._tiling.columns, dim=0)[: like.shape[0]]
        return wide.repeat_interleave(self._tiling.rows, dim=1)[:, : like.shape[1]]


def _straight(value: Tensor, forward: Tensor) -> Tensor:
    """What is used forwards, with the gradient of what it was made of."""
    return value + (forward - value).detach()


def _name(key: Key) -> str:
    return f"{key[0]}-{key[1]}"
