"""The trained route: mask, PEs and factors are learnt from the base on the task's rows, with biases, norms and head."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from dse import plugin
from dse_plugins.compressors.shared.learning import cut, learn, refuse_others
from dse_plugins.compressors.xma2.factors import round_factors
from dse_plugins.compressors.xma2.levels import spread
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.compressors.xma2.tiers import Place, Tiers, resident_parameters
from dse_plugins.shared import Array, name_of, positions

ADAPTER_VERSION = 2
"""Version of the adapter, part of the cache key; each change of its behaviour raises it."""


class Trained(Tiers):
    """Learnt PEs and factors for each task and share of PEs."""

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self._learnt: dict[tuple[int, float], plugin.Adapted] = {}
        self._places: dict[float, Array] = {}

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare one of the trained shares for each task."""
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
        adapter = partial(
            TwoTiers, scales=dict(self._scales), encoder=encoder, tiling=self.tiling, kind=options.factors
        )
        for share in options.shares:
            key = {"xma2": ADAPTER_VERSION, "share": share, "factors": options.factors, "tiling": tuple(self.tiling)}
            adapted = learn(context, options, key, partial(adapter, share=share))
            self._learnt |= {(task, share): one for task, one in enumerate(adapted)}
            self._places[share] = np.stack([positions(one.state["mask"].numpy()) for one in adapted])
        self._encoder = encoder

    def places(self, encoder: plugin.Encoder, params: plugin.Params, *, measured: bool) -> Array:
        """Return the learnt places, or evenly spread places before training."""
        refuse_others("xma2", measured=measured)
        if not self._places:
            return spread(encoder.layers, self.tiling.starts(encoder)[-1])[None, None]
        share = params["share"][..., None, None]
        return np.asarray(sum((share == value) * places for value, places in self._places.items()))

    def kind(self, params: plugin.Params) -> Array:
        """Return the kind that was trained."""
        return np.full(params.points, self.options.factors)

    def codes(self, place: Place, scale: Tensor, params: plugin.Params) -> Tensor:
        """Return the learnt codes."""
        del scale
        codes = self._adapted(place.owner, params).state[f"codes.{name_of(place.key)}"]
        return cut(place.weights, place.key, codes.to(torch.int16))

    def factors(self, place: Place, held: Tensor, scale: Tensor, params: plugin.Params) -> Tensor:
        """Return the learnt factors."""
        del held, scale
        values = self._adapted(place.owner, params).state[f"factors.{name_of(place.key)}"]
        return round_factors(place.weights.of_outputs(place.key, values.T).T, self.options.factors)

    def learnt(self, params: plugin.Params, owner: int) -> plugin.Model | None:
        """Return the biases, norms and head that were learnt with codes and factors."""
        return None if owner == plugin.BASE else self._adapted(owner - 1, params).model

    def _adapted(self, task: int, params: plugin.Params) -> plugin.Adapted:
        return self._learnt[task, float(params["share"][0, task])]
