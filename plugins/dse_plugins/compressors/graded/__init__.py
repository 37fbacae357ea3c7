"""Compressor ``graded``: columns of each difference in two signs, in one bit, or not at all, where each does most good.

Takes the decomposition of Kang et al., ICCAD 2021, further, still without training. The paper drops the same share of
every matrix's columns, the smallest first. Here training rows tell what leaving a column out does to the logits, over the
whole model: blocks of columns are graded none, binary or ternary in the order of good done for each array taken. A binary
column has two values, each its own, and takes one array where ternary in separate arrays takes two. What is left out moves
the mean of an output; the output's bias, which the task has anyway, takes it back. The base, which all tasks share, may
be kept in fewer bits too: with a grid of its own for each output, five bits, sign included, lose next to nothing.

Where a generator trains weights that did not exist when effects were measured, every matrix has the same share of columns
in each form, in whole arrays, those with the largest differences first, and no bias takes anything back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dse import plugin
from dse_plugins.compressors.graded.effects import BASE_BITS, BINARY, TERNARY, binary, coarse, measure_outputs, ternary
from dse_plugins.compressors.graded.grading import Grading, Placement, starts
from dse_plugins.compressors.shared.even import Even, even, rank
from dse_plugins.compressors.shared.owners import by_owner, grid

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
Key = tuple[int, int]
MOST_BITS = 8


class GradedOptions(plugin.Options):
    """Options of ``graded``.

    Attributes:
        rows: training rows of each task that tell what columns do.
        recover: move the mean of what is left out into biases.
    """

    rows: int = Field(default=384, ge=8)
    recover: bool = True


class Graded:
    """Differences from the base whose columns are ternary, binary or absent."""

    geometry_fields: tuple[str, ...] = ("rows", "columns", "cell_bits", "encoding")

    def __init__(self, options: GradedOptions) -> None:
        self.options = options
        self._scales: dict[Key, Tensor] = {}
        self._effects: Array = np.zeros(0)
        self._bias: Array = np.zeros(0)
        self._base_bias: Array = np.zeros(0)
        self._encoder: plugin.Encoder | None = None
        self._gradings: dict[tuple[int, Placement], Grading] = {}

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Bits of the base, and one share for each task."""
        del workload
        return (
            plugin.Int(
                name="base_bits", low=BASE_BITS[0], high=MOST_BITS, default=MOST_BITS, limits=(BASE_BITS[0], MOST_BITS),
                unit="bit", summary="magnitude bits of the base; below 8 each output has its own grid",
            ),
            plugin.Float(
                name="share", low=0.1, high=1.0, default=0.6, limits=(0.0, 1.0), scope=("task",),
                summary="arrays of a task, as a share of those all its columns take in ternary",
            ),
        )  # fmt: skip

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, what every column does to the logits."""
        workload = context.workload
        self._scales = {key: plugin.best_scale(weight) for key, weight in context.base_weights().items()}
        tables = []
        for index, name in enumerate(workload.task_names):
            digests = {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}

            def make(task: int = index) -> dict[str, Array]:
                return measure_outputs(context, task, self._scales, self.options.rows)

            tables.append(context.cached(f"effects of columns of {name}", digests | {"rows": self.options.rows}, make))
        self._effects = np.stack([table["recovered" if self.options.recover else "plain"] for table in tables])
        self._bias = np.stack([table["bias"] for table in tables])  # (T, forms, L, outputs of all matrices)
        self._base_bias = np.stack([table["base_bias"] for table in tables])  # (T, bits, L, outputs of all matrices)
        self._encoder = workload.encoder
        self._gradings = {}

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Take the base in full 8 bits, and each other owner's columns as they are graded."""
        encoder = workload.encoder
        shape = (*demand.used.shape, len(encoder.matrices))
        rows, columns = (np.broadcast_to(kept, shape) for kept in (demand.rows, demand.columns))
        used = np.broadcast_to(demand.used[..., None], shape)
        own = used.copy()
        own[:, plugin.BASE] = False
        counted = self._counts if demand.measured else self._even_counts
        counts = counted(encoder, demand, geometry, params, shape)
        base = (used & ~own).astype(float)
        signed, plain = np.where(own, counts[TERNARY], 0.0), np.where(own, counts[BINARY], 0.0)
        signs, bits = (signed > 0).astype(float), (plain > 0).astype(float)
        bits_of_base = params["base_bits"][:, None, None, None]
        whole = bits_of_base == MOST_BITS
        magnitude = np.where(whole, float(plugin.FULL_MAGNITUDE), 2.0**bits_of_base - 1)
        pieces = (
            plugin.Piece((base + signs) * rows, base * columns + signed, base * magnitude + signs),
            plugin.Piece(bits * rows, plain, bits, unsigned=True),
        )
        some = signed + plain > 0
        scales = base * np.where(whole, 1.0, columns) + 2 * plain  # two values for each binary column
        on_base = demand.used.copy()
        on_base[:, plugin.BASE] = False
        return plugin.Footprint(pieces, plugin.SCALE_BITS * scales + some * 2 * columns, on_base)

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the base's codes, or another owner's graded columns."""
        import torch

        scales = {key: grid(self._scales, base, key) for key in weights}
        if owner == plugin.BASE:
            kept = int(params["base_bits"][0])
            return {key: plugin.Stored((_base_term(weights[key], scales[key], kept),)) for key in weights}
        if not weights.measured:
            return self._store_ranked(weights, base, scales, geometry, params, owner)
        assert self._encoder is not None
        begin, task = starts(self._encoder), owner - 1
        grading = self._grading(task, Placement.of(geometry, 0))
        levels = grading.levels[int(grading.steps(params["share"][0, task]))]
        stored = {}
        for key, weight in weights.items():
            part = slice(begin[key[1]], begin[key[1] + 1])
            level = weights.of_outputs(key, torch.from_numpy(levels[key[0], part].astype(np.int64)))
            bias = None
            if self.options.recover:
                table = self._biases(task, int(params["base_bits"][0]))[:, key[0], part]
                bias = weights.of_outputs(key, torch.from_numpy(table.T.copy())).gather(1, level[:, None])[:, 0]
            stored[key] = plugin.Stored(_terms(weight, base[key], scales[key], level), on_base=True, bias=bias)
        return stored

    def _store_ranked(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        scales: dict[Key, Tensor],
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[Key, plugin.Stored]:
        """Store the columns of an owner that was not measured, the largest differences in the most precise form."""
        import torch

        assert self._encoder is not None
        assert weights.demand is not None
        forms = torch.tensor(Placement.of(geometry, 0).forms)
        spreads = self._even(self._encoder, weights.demand, geometry, params)
        stored = {}
        for key, weight in weights.items():
            layer, index = key
            low, upper, _ = (float(values[0, owner - 1, layer]) for values in spreads[index])
            difference = weight - plugin.quantise(base[key], scales[key]) * scales[key]
            level = forms[rank(difference, low, upper)]
            stored[key] = plugin.Stored(_terms(weight, base[key], scales[key], level), on_base=True)
        return stored

    def _biases(self, task: int, bits: int) -> Array:
        """Biases (forms, L, outputs) that take back what each form, and the base in these bits, leave out."""
        own: Array = self._bias[task]
        return own if bits == MOST_BITS else own + self._base_bias[task, BASE_BITS.index(bits)]

    def _counts(
        self,
        encoder: plugin.Encoder,
        demand: plugin.Demand,
        geometry: plugin.Geometry,
        params: plugin.Params,
        shape: tuple[int, ...],
    ) -> dict[int, Array]:
        """Columns (P, O, L, M) of each level. Before anything is measured, all ternary: an upper bound."""
        counts = {level: np.zeros(shape) for level in (BINARY, TERNARY)}
        own = slice(demand.task_owner(0), None)
        if not self._effects.size:
            counts[TERNARY][:, own] = np.broadcast_to(demand.columns, shape)[:, own]
            return counts
        placements = [Placement.of(geometry, point) for point in range(demand.points)]
        begin = starts(encoder)
        for task in range(demand.tasks):
            for placement in set(placements):
                at = np.flatnonzero([item == placement for item in placements])
                grading = self._grading(task, placement)
                levels = grading.levels[grading.steps(params["share"][at, task])]
                for index in range(len(encoder.matrices)):
                    part = levels[..., begin[index] : begin[index + 1]]
                    kept = plugin.kept_outputs(encoder, demand, index)
                    for level, found in counts.items():
                        live = part == level
                        if kept is not None:
                            live &= kept[at, demand.task_owner(task)]
                        found[at, demand.task_owner(task), :, index] = live.sum(axis=-1)
        return counts

    def _even_counts(
        self,
        encoder: plugin.Encoder,
        demand: plugin.Demand,
        geometry: plugin.Geometry,
        params: plugin.Params,
        shape: tuple[int, ...],
    ) -> dict[int, Array]:
        """The same of owners that were not measured."""
        counts = {level: np.zeros(shape) for level in (BINARY, TERNARY)}
        spreads = self._even(encoder, demand, geometry, params)
        forms = [Placement.of(geometry, point).forms for point in range(demand.points)]
        for form, found in counts.items():
            level = np.array([of.index(form) if form in of else -1 for of in forms])[:, None, None]
            for index, spread in enumerate(spreads):
                found[:, 1:, :, index] = spread.at(level)
        return counts

    def _even(
        self, encoder: plugin.Encoder, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> list[Even]:
        """Places in `Placement.forms` of each matrix's columns in every layer, (P, A, L), spread evenly."""
        share = by_owner(params, demand)["share"]
        mean = np.stack([Placement.of(geometry, point).level(share[point]) for point in range(demand.points)])
        width = geometry.columns[:, None, None]
        columns = np.broadcast_to(demand.columns, (*demand.used.shape, len(encoder.matrices)))[:, 1:]
        return [even(mean, columns[..., index], width) for index in range(len(encoder.matrices))]

    def _grading(self, task: int, placement: Placement) -> Grading:
        assert self._encoder is not None
        key = (task, placement)
        if key not in self._gradings:
            self._gradings[key] = Grading(self._encoder, self._effects[task].astype(np.float64), placement)
        return self._gradings[key]


def _base_term(weight: Tensor, scale: Tensor, bits: int) -> plugin.Term:
    """A matrix of the base, whole on the grid of differences, or in fewer bits on grids of its outputs."""
    import torch

    if bits == MOST_BITS:
        return plugin.Term(plugin.quantise(weight, scale).to(torch.int16), scale, plugin.FULL_MAGNITUDE)
    codes, steps = coarse(weight, bits)
    return plugin.Term(codes.to(torch.int16), steps, 2**bits - 1)


def _terms(weight: Tensor, base: Tensor, scale: Tensor, level: Tensor) -> tuple[plugin.Term, ...]:
    """A matrix's ternary and binary columns."""
    import torch

    if not level.any():
        return ()
    signed, plain = ((level == form).nonzero()[:, 0] for form in (TERNARY, BINARY))
    codes = ternary(plugin.decompose(base[signed], weight[signed], scale=scale).delta)
    bits, step, low = binary(weight[plain] - plugin.quantise(base[plain], scale) * scale)
    return (
        plugin.Term(codes, scale, 1, columns=signed, shared_scale=True),
        plugin.Term(bits.to(torch.int16), step, 1, columns=plain, unsigned=True, offset=low),
    )


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="graded",
        summary="deltas whose columns are ternary, binary or absent, by what each does to the logits",
        build=Graded,
        options=GradedOptions,
        source="after Kang et al., ICCAD 2021; one-bit deltas as in BitDelta, Liu et al., NeurIPS 2024",
    )
