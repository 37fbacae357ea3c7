"""Compressor ``graded``: each column of a delta in two signs, in one bit, or absent, in the form that helps most.

This compressor extends the decomposition of Kang et al., ICCAD 2021, still without training. The paper drops the same
share of every matrix's columns, the smallest first. Here training rows show how much the logits change without a
column, over the whole model: blocks of columns are graded none, binary or ternary in the order of gain per array. A
binary column has two values of its own and takes one array; a ternary column in separate arrays takes two. The weights
that are left out change the mean of an output, and the output's bias, which the task has anyway, corrects it. The base,
which all tasks share, may have fewer bits too: with its own grid for each output, five bits, sign included, lose almost
nothing.

If a generator trains weights that did not exist when effects were measured, every matrix has the same share of columns
in each form, in whole arrays, with the largest deltas in the best form, and no bias corrects a mean.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np
from pydantic import Field

from dse import plugin
from dse_plugins.compressors.graded.effects import BASE_BITS, BINARY, TERNARY, binary, coarse, measure_outputs, ternary
from dse_plugins.compressors.graded.grading import Grading, Placement, starts
from dse_plugins.compressors.shared.even import Even, even, rank
from dse_plugins.compressors.shared.owners import BaseGrids, above_base, by_owner, grid, store_base
from dse_plugins.shared import Array, Key, Tensor
from dse_plugins.shared.measuring import measure_each_task

MOST_BITS = 8


class GradedOptions(plugin.Options):
    """Options of ``graded``.

    Attributes:
        rows: number of training rows of each task on which the effect of columns is measured.
        recover: whether biases correct the means of outputs.
    """

    rows: int = Field(default=384, ge=8)
    recover: bool = True


class Graded(plugin.Base):
    """Deltas from the base whose columns are ternary, binary or absent."""

    geometry_fields: tuple[str, ...] = ("rows", "columns", "cell_bits", "encoding")
    options: GradedOptions
    _encoder: plugin.Encoder
    _scales: BaseGrids
    _effects: Array = np.zeros(0)  # before anything is measured
    _bias: Array
    _base_bias: Array
    _gradings: dict[tuple[int, Placement], Grading]

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the bits of the base, and one share for each task."""
        del workload
        return (
            plugin.Int(
                name="base_bits", low=BASE_BITS[0], high=MOST_BITS, default=MOST_BITS, limits=(BASE_BITS[0], MOST_BITS),
                unit="bit", summary="magnitude bits of the base; below 8 each output has its own grid",
            ),
            plugin.Float(
                name="share", low=0.1, high=1.0, default=0.6, limits=(0.0, 1.0), scope=("task",),
                summary="arrays of a task, as a share of the arrays that all its columns take in ternary",
            ),
        )  # fmt: skip

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, the effect of every column on the logits."""
        self._scales = BaseGrids(context)
        measure = partial(measure_outputs, scales=dict(self._scales), rows=self.options.rows)
        tables = measure_each_task(context, "effects of columns", {"rows": self.options.rows}, measure)
        self._effects = np.stack([table["recovered" if self.options.recover else "plain"] for table in tables])
        self._bias = np.stack([table["bias"] for table in tables])  # (T, forms, L, outputs of all matrices)
        self._base_bias = np.stack([table["base_bias"] for table in tables])  # (T, bits, L, outputs of all matrices)
        self._encoder = context.workload.encoder
        self._gradings = {}

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce the base in its bits, and each other owner's columns in their forms."""
        rows, columns, on_base = demand.rows, demand.columns, above_base(demand)
        base = (demand.used & ~on_base)[..., None].astype(float)
        count_columns = self._measured_counts if demand.measured else self._even_counts
        counts = count_columns(workload.encoder, demand, geometry, params)
        signed, plain = (np.where(on_base[..., None], counts[form], 0.0) for form in (TERNARY, BINARY))
        signs, bits = (signed > 0).astype(float), (plain > 0).astype(float)
        bits_of_base = params["base_bits"][:, None, None, None]
        whole = bits_of_base == MOST_BITS
        magnitude = np.where(whole, float(plugin.FULL_MAGNITUDE), 2.0**bits_of_base - 1)
        pieces = (
            plugin.Piece((base + signs) * rows, base * columns + signed, base * magnitude + signs),
            plugin.Piece(bits * rows, plain, bits, unsigned=True),
        )
        some = signed + plain > 0
        # Two values for each binary column. Ternary columns share the grid of a base in 8 bits, and need their own beside others.
        scales = base * np.where(whole, 1.0, columns) + 2 * plain + signs * ~whole
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
        bits = int(params["base_bits"][0])
        if owner == plugin.BASE:
            return {key: plugin.Stored((_base_term(weights[key], scales[key], bits),)) for key in weights}
        placement, task, stored = Placement.of(geometry, 0), owner - 1, {}
        if not weights.measured:  # the largest deltas have the most precise form
            assert weights.demand is not None
            spreads = self._even(self._encoder, weights.demand, geometry, params)
            for key, weight in weights.items():
                low, upper, _ = (float(values[0, task, key[0]]) for values in spreads[key[1]])
                delta = weight - plugin.quantise(base[key], scales[key]) * scales[key]
                level = torch.tensor(placement.forms)[rank(delta, low, upper)]
                stored[key] = plugin.Stored(_terms(weight, base[key], scales[key], level, bits), on_base=True)
            return stored
        begin, grading = starts(self._encoder), self._grading(task, placement)
        levels = grading.levels[int(grading.steps(params["share"][0, task]))]
        for key, weight in weights.items():
            part = slice(begin[key[1]], begin[key[1] + 1])
            level = weights.of_outputs(key, torch.from_numpy(levels[key[0], part].astype(np.int64)))
            bias = None
            if self.options.recover and self._encoder.matrices[key[1]].bias:
                table = self._biases(task, bits)[:, key[0], part]
                bias = weights.of_outputs(key, torch.from_numpy(table.T.copy())).gather(1, level[:, None])[:, 0]
            stored[key] = plugin.Stored(_terms(weight, base[key], scales[key], level, bits), on_base=True, bias=bias)
        return stored

    def _biases(self, task: int, bits: int) -> Array:
        """Biases that correct the means for each form and for the base in these bits, shape (forms, L, outputs)."""
        own: Array = self._bias[task]
        return own if bits == MOST_BITS else own + self._base_bias[task, BASE_BITS.index(bits)]

    def _measured_counts(
        self, encoder: plugin.Encoder, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> dict[int, Array]:
        """Columns of each form, shape (P, O, L, M). Before anything is measured all are ternary, an upper bound."""
        counts = _no_columns(encoder, demand)
        own = slice(demand.task_owner(0), None)
        if not self._effects.size:
            counts[TERNARY][:, own] = np.broadcast_to(demand.columns, counts[TERNARY].shape)[:, own]
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
                    mask = plugin.kept_outputs(encoder, demand, index)
                    for form, count in counts.items():
                        live = part == form
                        if mask is not None:
                            live &= mask[at, demand.task_owner(task)]
                        count[at, demand.task_owner(task), :, index] = live.sum(axis=-1)
        return counts

    def _even_counts(
        self, encoder: plugin.Encoder, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> dict[int, Array]:
        """Columns of each form for owners that were not measured, shape (P, O, L, M)."""
        counts = _no_columns(encoder, demand)
        spreads = self._even(encoder, demand, geometry, params)
        forms = [Placement.of(geometry, point).forms for point in range(demand.points)]
        for form, count in counts.items():
            level = np.array([of.index(form) if form in of else -1 for of in forms])[:, None, None]
            for index, spread in enumerate(spreads):
                count[:, 1:, :, index] = spread.at(level)
        return counts

    def _even(
        self, encoder: plugin.Encoder, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> list[Even]:
        """Spread the places in `Placement.forms` evenly over each matrix's columns, in every layer, shape (P, A, L)."""
        share = by_owner(params, demand)["share"]
        mean = np.stack([Placement.of(geometry, point).level(share[point]) for point in range(demand.points)])
        width = geometry.usable_columns[:, None, None]
        columns = np.broadcast_to(demand.columns, (*demand.used.shape, len(encoder.matrices)))[:, 1:]
        return [even(mean, columns[..., index], width) for index in range(len(encoder.matrices))]

    def _grading(self, task: int, placement: Placement) -> Grading:
        key = (task, placement)
        if key not in self._gradings:
            self._gradings[key] = Grading(self._encoder, self._effects[task].astype(np.float64), placement)
        return self._gradings[key]


def _no_columns(encoder: plugin.Encoder, demand: plugin.Demand) -> dict[int, Array]:
    return {form: np.zeros((*demand.used.shape, len(encoder.matrices))) for form in (BINARY, TERNARY)}


def _base_term(weight: Tensor, scale: Tensor, bits: int) -> plugin.Term:
    """Store a matrix of the base in full on the grid of deltas, or in fewer bits on grids of its outputs."""
    import torch

    if bits == MOST_BITS:
        return store_base(weight, scale)
    codes, steps = coarse(weight, bits)
    return plugin.Term(codes.to(torch.int16), steps, 2**bits - 1)


def _terms(weight: Tensor, base: Tensor, scale: Tensor, level: Tensor, bits_of_base: int) -> tuple[plugin.Term, ...]:
    """Store a matrix's ternary and binary columns."""
    import torch

    if not level.any():
        return ()
    signed, plain = ((level == form).nonzero()[:, 0] for form in (TERNARY, BINARY))
    codes = ternary(plugin.decompose(base[signed], weight[signed], scale=scale).delta)
    bits, step, low = binary(weight[plain] - plugin.quantise(base[plain], scale) * scale)
    return (
        plugin.Term(codes, scale, 1, columns=signed, shared_scale=bits_of_base == MOST_BITS or not len(signed)),
        plugin.Term(bits.to(torch.int16), step, 1, columns=plain, unsigned=True, offset=low),
    )


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="graded",
        summary="deltas whose columns are ternary, binary or absent, by their effect on the logits",
        build=Graded,
        options=GradedOptions,
        source="after Kang et al., ICCAD 2021; one-bit deltas as in BitDelta, Liu et al., NeurIPS 2024",
    )
