"""The route without training: PEs ordered by the effect of their delta, factors fitted by least squares."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from dse import plugin
from dse_plugins.compressors.deltas.tile_effects import measure_tiles
from dse_plugins.compressors.xma2 import factors
from dse_plugins.compressors.xma2.levels import FROZEN, spread
from dse_plugins.compressors.xma2.options import Xma2Options
from dse_plugins.compressors.xma2.tiers import Place, Tiers, resident_parameters
from dse_plugins.shared import Array, positions
from dse_plugins.shared.measuring import measure_each_task
from dse_plugins.shared.moments import input_moments


class Free(Tiers):
    """Written PEs hold the fine-tuned weights; factors bring the other PEs close to the fine-tuned outputs."""

    def __init__(self, options: Xma2Options) -> None:
        super().__init__(options)
        self._places: dict[str, Array] = {}  # (T, L, PEs)
        self._moments: list[dict[str, Array]] = []

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare both tiers' budgets, for each task, and the kind of factors."""
        del workload
        return (
            plugin.Float(
                name="share", low=0.0, high=0.3, default=0.1, limits=(0.0, 1.0), scope=("task",),
                summary="tier 1: share of a task's PEs that have a version of their own",
            ),
            *resident_parameters(),
            plugin.Choice(
                name="factors", choices=factors.KINDS, default="real",
                summary="tier 2: factors of the other PEs' columns: none, 0 or 1, made by two shifts, or real",
            ),
            plugin.Choice(
                name="by", choices=("effect", "norm"), default="effect",
                summary="order of the PEs: by effect on the logits on training rows, or by norm of the delta",
            ),
            plugin.Choice(
                name="bias", choices=(True, False), default=True, summary="whether biases make up for the mean error"
            ),
        )  # fmt: skip

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, the effect of every PE on the logits, and the moments of every input."""
        super().prepare(context)
        self._encoder, options, rows = context.workload.encoder, self.options, {"rows": self.options.rows}
        where = {matrix.input: index for index, matrix in enumerate(self._encoder.matrices)}
        measure = partial(measure_tiles, scales=dict(self._scales), options=options, bits=())
        tables = measure_each_task(context, "effects of PEs", rows | {"tile": tuple(self.tiling)}, measure)
        self._moments = measure_each_task(
            context, "inputs", rows, lambda context, task: input_moments(context, (task,), options.rows, where)
        )
        self._places = {by: np.stack([positions(table[by][0]) for table in tables]) for by in ("norm", "effect")}

    def places(self, encoder: plugin.Encoder, params: plugin.Params, *, measured: bool) -> Array:
        """Return the measured places; spread places before measurement or if a generator gives other weights."""
        if not measured or not self._places:
            return spread(encoder.layers, self.tiling.starts(encoder)[-1])[None, None]
        by = params["by"][:, None, None, None]
        return np.where(by == "norm", self._places["norm"], self._places["effect"])

    def kind(self, params: plugin.Params) -> Array:
        """Return the chosen kind."""
        return params["factors"]

    def codes(self, place: Place, scale: Tensor, params: plugin.Params) -> Tensor:
        """Return the codes of the owner's own weights."""
        del params
        return plugin.quantise(place.weights[place.key], scale).to(torch.int16)

    def factors(self, place: Place, held: Tensor, scale: Tensor, params: plugin.Params) -> Tensor:
        """Fit the factors of frozen PEs to the codes of a written PE.

        Weights beyond the grid are clipped in these codes; otherwise such weights would distort the factors of whole
        columns.
        """
        own = self.codes(place, scale, params) * scale
        frozen = place.of_weights == FROZEN
        sizes = torch.bincount(place.inputs, minlength=place.level.shape[1]).tolist()
        _, covariance = self._inputs(place)
        fitted = factors.fit_factors(held * frozen, own * frozen, covariance, sizes)
        return factors.round_factors(fitted, str(params["factors"][0]))

    def bias(self, place: Place, made: Tensor, scale: Tensor, params: plugin.Params) -> Tensor | None:
        """Return the mean error of the outputs relative to those of written PEs, if the matrix has a bias to hold it."""
        mean, _ = self._inputs(place)
        if mean is None or not bool(params["bias"][0]) or not self._encoder.matrices[place.key[1]].bias:
            return None
        return (self.codes(place, scale, params) * scale - made) @ mean

    def _inputs(self, place: Place) -> tuple[Tensor | None, Tensor]:
        """Mean and covariance of a matrix's inputs; for inputs that were not observed, no mean and the unit matrix."""
        if not place.weights.measured:
            return None, torch.eye(place.weights[place.key].shape[1])
        layer, index = place.key
        name, table = self._encoder.matrices[index].input, self._moments[place.owner]
        mean, covariance = (torch.from_numpy(table[f"{name}_{part}"][layer]) for part in ("mean", "covariance"))
        inputs = place.weights.inputs.get(place.key)
        return (mean, covariance) if inputs is None else (mean[inputs], covariance[inputs][:, inputs])
