"""The route without training: PEs in the order of what their difference does, factors by least squares."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array
from dse_plugins.compressors.deltas.tile_effects import measure_tiles as measured_effects
from dse_plugins.compressors.xma2 import factors
from dse_plugins.compressors.xma2.levels import FROZEN, positions, spread
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.compressors.xma2.tiers import Place, Tiers, resident_parameters
from dse_plugins.shared.moments import input_moments

if TYPE_CHECKING:
    from torch import Tensor


class Free(Tiers):
    """Written PEs hold the fine-tuned weights; the columns of the others follow what the fine-tuned ones give."""

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self._places: dict[str, Array] = {}
        self._moments: list[dict[str, Array]] = []

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Both tiers' budgets, for each task, and what factors may be."""
        del workload
        return (
            plugin.Float(
                name="share", low=0.0, high=0.3, default=0.1, limits=(0.0, 1.0), scope=("task",),
                summary="tier 1: share of a task's PEs that have a version of their own",
            ),
            *resident_parameters(),
            plugin.Choice(
                name="factors", choices=factors.KINDS, default="real",
                summary="tier 2: factors of the other PEs' columns: none, 0 or 1, what two shifts make, or real",
            ),
            plugin.Choice(
                name="by", choices=("effect", "norm"), default="effect",
                summary="what orders PEs: what they do to the logits on training rows, or the norm of the difference",
            ),
            plugin.Choice(
                name="bias", choices=(True, False), default=True, summary="move the mean of what is lost into biases"
            ),
        )  # fmt: skip

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, what every PE does to the logits, and the moments of every input."""
        super().prepare(context)
        workload, options = context.workload, self.options
        where = {matrix.input: index for index, matrix in enumerate(workload.encoder.matrices)}
        tiles = {"rows": options.rows, "tile": tuple(self.tiling)}
        tables, moments = [], []
        for task, name in enumerate(workload.task_names):
            key = {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}
            make = partial(measured_effects, context, task, self._scales, options, ())
            tables.append(context.cached(f"effects of PEs of {name}", key | tiles, make))
            make = partial(input_moments, context, (task,), options.rows, where)
            moments.append(context.cached(f"inputs of {name}", key | {"rows": options.rows}, make))
        self._encoder, self._moments = workload.encoder, moments
        self._places = {
            by: np.stack([positions(table[by][0]) for table in tables]) for by in ("norm", "effect")
        }  # (T, L, tiles)

    def places(self, encoder: plugin.Encoder, params: plugin.Params, *, measured: bool) -> Array:
        """As measured. Before anything is, or where a generator gives other weights, places are spread."""
        if not measured or not self._places:
            return spread(encoder.layers, self.tiling.starts(encoder)[-1])[None, None]
        by = params["by"][:, None, None, None]
        return np.where(by == "norm", self._places["norm"], self._places["effect"])

    def kind(self, params: plugin.Params) -> Array:
        """As chosen."""
        return params["factors"]

    def codes(self, place: Place, scale: Tensor, params: plugin.Params) -> Tensor:
        """The owner's own weights."""
        import torch

        del params
        return plugin.quantise(place.weights[place.key], scale).to(torch.int16)

    def factors(self, place: Place, held: Tensor, scale: Tensor, params: plugin.Params) -> Tensor:
        """Fit them on frozen PEs, to what a written PE would hold.

        Weights beyond the grid, which models do without, would bend whole columns otherwise.
        """
        import torch

        own = self.codes(place, scale, params) * scale
        frozen = place.of_weights == FROZEN
        sizes = torch.bincount(place.inputs, minlength=place.level.shape[1]).tolist()
        _, covariance = self._inputs(place)
        found = factors.fit_factors(held * frozen, own * frozen, covariance, sizes)
        return factors.round_factors(found, str(params["factors"][0]))

    def bias(self, place: Place, made: Tensor, scale: Tensor, params: plugin.Params) -> Tensor | None:
        """The mean of what is lost to what written PEs would give."""
        mean, _ = self._inputs(place)
        if mean is None or not bool(params["bias"][0]):
            return None
        return (self.codes(place, scale, params) * scale - made) @ mean

    def _inputs(self, place: Place) -> tuple[Tensor | None, Tensor]:
        """Mean and covariance of a matrix's inputs; of inputs that were not observed no mean, and all alike."""
        import torch

        if not place.weights.measured:
            return None, torch.eye(place.weights[place.key].shape[1])
        assert self._encoder is not None
        layer, index = place.key
        name, table = self._encoder.matrices[index].input, self._moments[place.owner]
        mean, covariance = (torch.from_numpy(table[f"{name}_{what}"][layer]) for what in ("mean", "covariance"))
        kept = place.weights.inputs.get(place.key)
        return (mean, covariance) if kept is None else (mean[kept], covariance[kept][:, kept])
