"""The trained route: mask, contents and factors are learnt from the base on the task's rows, with biases, norms and head."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array
from dse_plugins.compressors.shared.learning import learn, refuse_others
from dse_plugins.compressors.xma2.levels import positions, spread
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.compressors.xma2.tiers import Place, Tiers, resident_parameters

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER_VERSION = 2
"""Raised when the adapter would learn something else."""


class Trained(Tiers):
    """What was learnt for each task and share of PEs."""

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self._learnt: dict[tuple[int, float], plugin.Adapted] = {}
        self._places: dict[float, Array] = {}

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """One of the shares that are trained for, for each task."""
        del workload
        shares = tuple(self.options.shares)
        return (
            plugin.Choice(
                name="share", choices=shares, default=shares[0], scope=("task",),
                summary="tier 1: share of a task's PEs that have a version of their own",
            ),
            *resident_parameters(),
        )  # fmt: skip

    def prepare(self, context: plugin.Context) -> None:
        """Learn every task with every share."""
        from dse_plugins.compressors.xma2.adapter import TwoTiers

        super().prepare(context)
        encoder, options = context.workload.encoder, self.options
        for share in options.shares:
            build = partial(
                TwoTiers,
                scales=self._scales,
                encoder=encoder,
                tiling=self.tiling,
                share=share,
                kind=options.factors,
            )
            key = {"xma2": ADAPTER_VERSION, "share": share, "factors": options.factors, "tiling": tuple(self.tiling)}
            found = learn(context, options, key, build)
            self._learnt |= {(task, share): one for task, one in enumerate(found)}
            self._places[share] = np.stack([positions(one.state["mask"].numpy()) for one in found])
        self._encoder = encoder

    def places(self, encoder: plugin.Encoder, params: plugin.Params, *, measured: bool) -> Array:
        """As they were learnt; before, places are spread."""
        refuse_others("xma2", measured=measured)
        if not self._places:
            return spread(encoder.layers, self.tiling.starts(encoder)[-1])[None, None]
        share = params["share"][..., None, None]
        return np.asarray(sum((share == value) * places for value, places in self._places.items()))

    def kind(self, params: plugin.Params) -> Array:
        """As was trained."""
        return np.full(params.points, self.options.factors)

    def codes(self, place: Place, scale: Tensor, params: plugin.Params) -> Tensor:
        """What was learnt."""
        import torch

        del scale
        found = self._of(place, params).state[f"codes.{place.key[0]}-{place.key[1]}"].to(torch.int16)
        return self._cut(place, found)

    def factors(self, place: Place, held: Tensor, scale: Tensor, params: plugin.Params) -> Tensor:
        """What was learnt."""
        del held, scale
        found = self._of(place, params).state[f"factors.{place.key[0]}-{place.key[1]}"]
        return place.weights.of_outputs(place.key, found.T).T

    def learnt(self, params: plugin.Params, owner: int) -> plugin.Model | None:
        """Biases, norms and head that were learnt with them."""
        if owner == plugin.BASE:
            return None
        return self._learnt[owner - 1, float(params["share"][0, owner - 1])].model

    def _of(self, place: Place, params: plugin.Params) -> plugin.Adapted:
        return self._learnt[place.owner, float(params["share"][0, place.owner])]

    @staticmethod
    def _cut(place: Place, whole: Tensor) -> Tensor:
        cut = place.weights.of_outputs(place.key, whole)
        kept: Any = place.weights.inputs.get(place.key)
        return cut if kept is None else cut[:, kept]
