"""Compressor ``two-stage``: decomposition against the base, near-ternary clipping, selective hard-sharing.

Kang et al., "A Framework for Area-efficient Multi-task BERT Execution on ReRAM-based Accelerators", ICCAD 2021. The
base is stored once on an 8-bit grid; a task stores an integer delta on that grid. Stage 1 clips the delta to the fewest
cell-width steps that keep its cosine to the full delta; stage 2 drops the output channels that matter least, which then
use the base's weights alone. The paper's exact clip formula and channel criterion are not public: we use the cosine of
each matrix and the channel's energy after clipping. If a generator trains weights that did not exist when cosines were
measured, stage 1 takes the largest allowed number of bits.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from pydantic import Field

from dse import plugin
from dse_plugins.compressors.shared.owners import BaseGrids, above_base, by_owner, grid, store_base
from dse_plugins.shared import ROUNDING, Array, Key
from dse_plugins.shared.measuring import measure_each_task

MOST_BITS = 8
"""Magnitude bits of the largest delta of two 8-bit codes, 255."""
STATISTICS_VERSION = 2


class TwoStageOptions(plugin.Options):
    """Options of ``two-stage``.

    Attributes:
        per_channel: whether each output channel of the base has its own grid, instead of each matrix. The base is
            stored once, so its grid is the same for all tasks and layers.
        layer_groups: number of groups of consecutive layers with their own hyper-parameters, whose names then end in
            ``_1``, ``_2`` and so on.
    """

    per_channel: bool = False
    layer_groups: int = Field(default=1, ge=1)


class TwoStage:
    """Deltas on the base's grid, clipped and thinned by whole output channels."""

    geometry_fields: tuple[str, ...] = ("cell_bits", "encoding")
    _scales: BaseGrids

    def __init__(self, options: TwoStageOptions) -> None:
        self.options = options
        self._cosines: Array = np.zeros(MOST_BITS)  # before anything is measured every bit is needed, an upper bound

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare both stages' hyper-parameters, for each task and group of layers, and the first layer with deltas."""
        layers = workload.encoder.layers
        stages = (
            plugin.Float(
                name="cosine", low=0.80, high=0.99, default=0.95, limits=(0.0, 1.0), scope=("task",),
                summary="stage 1: smallest cosine between the clipped and the full delta of a matrix",
            ),
            plugin.Int(
                name="max_bits", low=1, high=4, default=4, limits=(1, MOST_BITS), scope=("task",), unit="bit",
                summary="stage 1: largest number of magnitude bits of a delta",
            ),
            plugin.Float(
                name="selective", low=0.0, high=0.5, default=0.0, limits=(0.0, 1.0), scope=("task",),
                summary="stage 2: share of output channels dropped from the delta",
            ),
        )  # fmt: skip
        lowest = plugin.Int(
            name="from_layer", low=0, high=0, default=0, limits=(0, layers), scope=("task",),
            summary="layers before this one have no delta: they use the base's weights alone",
        )  # fmt: skip
        return (*(replace(item, name=name) for item in stages for name in self._names(item.name)), lowest)

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, the cosine of every matrix's delta at every clip."""
        per_channel = self.options.per_channel
        self._scales = BaseGrids(context, per_channel=per_channel)
        key = {"version": STATISTICS_VERSION, "per_channel": per_channel}
        tables = measure_each_task(context, "clip statistics", key, self._measure)
        self._cosines = np.stack([table["cosine"] for table in tables])  # (T, L, M, bits 0..8)

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce the base in full 8 bits and every other owner's clipped, thinned deltas."""
        own, params = slice(1, None), self._by_owner(params, demand)
        shape = (*demand.used.shape, demand.rows.shape[-1])
        rows, columns = (np.broadcast_to(count, shape).copy() for count in (demand.rows, demand.columns))
        magnitude = np.full(shape, float(plugin.FULL_MAGNITUDE))
        bits_kept = self._bits(geometry, params, workload.encoder.layers, measured=demand.measured)
        magnitude[:, own] = 2.0**bits_kept - 1
        selective = self._by_layer(params, "selective", workload.encoder.layers)[..., None]
        dropped = np.floor(selective * columns[:, own] + ROUNDING)
        bits = np.full(shape, float(plugin.SCALE_BITS)) * (columns if self.options.per_channel else 1)
        bits[:, own] = columns[:, own] * (dropped > 0)
        columns[:, own] -= dropped
        held = (demand.used[..., None] & (magnitude > 0) & (columns > 0)).astype(float)
        piece = plugin.Piece(rows=held * rows, columns=held * columns, magnitude=held * magnitude)
        return plugin.Footprint((piece,), digital_bits=held * bits, on_base=above_base(demand))

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the base's codes, or another owner's clipped and thinned deltas."""
        import torch

        scales = {key: grid(self._scales, base, key, per_channel=self.options.per_channel) for key in weights}
        if owner == plugin.BASE:
            return {key: plugin.Stored((store_base(weight, scales[key]),)) for key, weight in weights.items()}
        place, layers = owner - 1, self._cosines.shape[1]
        params = self._by_owner(params, weights.demand)
        bits = self._bits(geometry, params, layers, measured=weights.measured)[0, place]
        bits = np.broadcast_to(bits, self._cosines.shape[1:3])
        selective = self._by_layer(params, "selective", layers)[0, place]
        stored = {}
        for key, weight in weights.items():
            clip, scale, outputs = int(2.0 ** bits[key] - 1), scales[key], None
            codes = plugin.decompose(base[key], weight, scale=scale).delta.clamp_(-clip, clip)
            dropped = int(np.floor(selective[key[0]] * len(codes) + ROUNDING))
            if clip == 0 or dropped == len(codes):
                stored[key] = plugin.Stored((), on_base=True)
                continue
            if dropped:
                weakest_first = torch.argsort(codes.int().square().sum(dim=1), stable=True)
                outputs = weakest_first[dropped:].sort().values
                codes, scale = codes[outputs], scale[outputs] if scale.ndim else scale
            term = plugin.Term(codes, scale, clip, columns=outputs, shared_scale=True)
            stored[key] = plugin.Stored((term,), on_base=True)
        return stored

    def _names(self, name: str) -> list[str]:
        """Names of a hyper-parameter, one for each group of layers."""
        groups = self.options.layer_groups
        return [name] if groups == 1 else [f"{name}_{group}" for group in range(1, groups + 1)]

    def _by_owner(self, params: plugin.Params, demand: plugin.Demand | None) -> plugin.Params:
        """Return the hyper-parameters of every owner above the base, shape (P, A)."""
        return by_owner(params, demand, least=(*self._names("selective"), "from_layer"))

    def _by_layer(self, params: plugin.Params, name: str, layers: int) -> Array:
        """Values of a hyper-parameter in every layer, shape (P, A, L)."""
        groups = np.stack([params[part] for part in self._names(name)], axis=-1)
        return groups[..., np.arange(layers) * groups.shape[-1] // layers]

    def _bits(self, geometry: plugin.Geometry, params: plugin.Params, layers: int, *, measured: bool) -> Array:
        """Magnitude bits of stage 1 in steps of the cell's width, shape (P, A, L, M), or (P, A, L, 1) if not measured.

        Separate arrays hold ``steps * cell_bits`` magnitude bits. An offset code of n bits holds magnitudes up to
        2^(n-1) - 1, so it takes one more bit.
        """
        over = (slice(None), None, None, None)
        spent = np.where(geometry.separate, 0, 1)[over]
        cell = geometry.cell_bits[over]
        least_cosine, max_bits = (self._by_layer(params, name, layers)[..., None] for name in ("cosine", "max_bits"))
        if measured:
            needed = (self._cosines < least_cosine[..., None]).sum(axis=-1)  # (P, T, L, M)
        else:
            needed = np.full(max_bits.shape, MOST_BITS)
        needed = needed * (np.arange(layers) >= params["from_layer"][..., None])[..., None]
        stepped = np.ceil((needed + spent) / cell) * cell - spent
        least = np.ceil((1 + spent) / cell) * cell - spent
        most = np.maximum(np.floor((max_bits + spent) / cell) * cell - spent, least)
        return np.where(needed > 0, np.minimum(np.minimum(stepped, most), MOST_BITS), 0.0)

    def _measure(self, context: plugin.Context, task: int) -> dict[str, Array]:
        """Cosine (L, M, bits 0..8) between clipped and full delta; it is 1 everywhere for a matrix without a delta."""
        base, encoder = context.base_weights(), context.workload.encoder
        cosines = np.ones((encoder.layers, len(encoder.matrices), MOST_BITS + 1))
        for key, weight in context.task_weights(task).items():
            codes = plugin.decompose(base[key], weight, scale=self._scales[key]).delta.float()
            norm = float(codes.norm())
            for bits in range(MOST_BITS if norm else 0):
                clipped = codes.clamp(-(2**bits - 1), 2**bits - 1)
                length = norm * float(clipped.norm())
                cosines[(*key, bits)] = float((clipped * codes).sum()) / length if length else 0.0
        return {"cosine": cosines}


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="two-stage",
        summary="deltas on the base's 8-bit grid, clipped and thinned by output channels",
        build=TwoStage,
        options=TwoStageOptions,
        source="Kang et al., ICCAD 2021",
    )
