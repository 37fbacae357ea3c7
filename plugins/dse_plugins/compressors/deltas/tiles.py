"""Base class of compressors of deltas in array-sized blocks, each in its own number of bits or absent.

The effect of each block is measured on the tasks' own models. If a generator trains other models, every block of rows
keeps the same share of its columns, in whole blocks, and the weights decide which columns these are.
"""

from abc import abstractmethod
from functools import partial

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes
from dse_plugins.compressors.deltas.tile_effects import TileOptions, measure_tiles
from dse_plugins.compressors.shared.even import Even, even, rank
from dse_plugins.shared import ROUNDING, Array, Tensor, positions
from dse_plugins.shared.measuring import measure_each_task


class TileCompressor(DeltaCompressor):
    """Deltas whose blocks are stored in the order of their effect, until a budget is spent.

    Attributes:
        bits: magnitude bits that a block may have, ascending from 1; each further bit is a separate step.
    """

    bits: tuple[int, ...] = (1,)
    options: TileOptions
    _encoder: plugin.Encoder

    def __init__(self, options: TileOptions) -> None:
        super().__init__(options)
        self.tiling = options.tiling
        self._positions: dict[str, Array] = {}

    @abstractmethod
    def budget(self, params: plugin.Params) -> tuple[Array, Array]:
        """Mean bits of a block, and the order of measured blocks, ``norm`` or ``effect``, each of shape (P, A)."""

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, the effect of every block on the logits, and order the steps."""
        super().prepare(context)
        self._encoder = context.workload.encoder
        measure = partial(measure_tiles, scales=dict(self._scales), options=self.options, bits=self.bits)
        tables = measure_each_task(context, "effects of tiles", self.options.model_dump(), measure)
        self._positions = {by: np.stack([_rank_steps(table[by]) for table in tables]) for by in ("norm", "effect")}

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce the columns of each block of rows, in one part for each number of bits."""
        heights = [self.tiling.row_blocks(matrix) for matrix in sizes.encoder.matrices]
        live_columns = (self._measured_columns if sizes.demand.measured else self._even_columns)(sizes, params)
        shape = sizes.rows.shape
        parts = []
        for block in range(max(heights)):
            rows, columns = np.zeros(shape), np.zeros((len(self.bits), *shape))
            for index, height in enumerate(heights):
                if block >= height:
                    continue
                rows[..., index] = self.tiling.select_kept(sizes.encoder, sizes.demand, index)[0][..., block]
                columns[..., index] = live_columns[index][..., block]
            for step, bits in enumerate(self.bits):
                live = (rows > 0) & (columns[step] > 0)
                parts.append(Part(rows, columns[step], live * (2.0**bits - 1), sizes.columns))
        return tuple(parts)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the columns of each block of rows, in one term for each number of bits."""
        inputs = difference.weights.block_of(difference.key, self.tiling.rows, inputs=True)
        levels = (self._measured_levels if difference.weights.measured else self._ranked_levels)(difference, params)
        nothing = plugin.Term(difference.codes[:0], difference.scale, 1, shared_scale=True)
        most = max(self.tiling.row_blocks(matrix) for matrix in self._encoder.matrices)
        terms = []
        for block in range(most):
            rows = (inputs == block).nonzero()[:, 0]
            for step, bits in enumerate(self.bits):
                columns = (levels[:, block] == step + 1).nonzero()[:, 0] if len(rows) else rows
                if not len(columns):
                    terms.append(nothing)
                    continue
                top = 2**bits - 1
                codes = difference.codes[columns[:, None], rows].clamp(-top, top)
                terms.append(plugin.Term(codes, difference.scale, top, columns=columns, rows=rows, shared_scale=True))
        return tuple(terms)

    def _measured_levels(self, difference: Difference, params: plugin.Params) -> Tensor:
        """Level of each output, a place in `bits` from 1, or 0, by measured effect, shape (outputs, blocks of rows)."""
        import torch

        layer, index = difference.key
        count = self._count(params)[0, difference.place]
        by = str(self.budget(params)[1][0, difference.place])
        levels = _count_taken(self._positions[by][difference.place], count)[layer]
        outputs = difference.weights.block_of(difference.key, self.tiling.columns, inputs=False)
        return torch.from_numpy(self.tiling.of_matrix(levels, self._encoder, index))[outputs]

    def _ranked_levels(self, difference: Difference, params: plugin.Params) -> Tensor:
        """Level of each output of weights that were not measured: the largest deltas of a block of rows have the largest number of bits."""
        import torch

        layer, index = difference.key
        demand = difference.weights.demand
        assert demand is not None
        spread = self._even(Sizes.of(self._encoder, demand), params, index)
        inputs = difference.weights.block_of(difference.key, self.tiling.rows, inputs=True)
        low, upper = (values[0, difference.place, layer].tolist() for values in (spread.low, spread.upper))
        blocks = [difference.values[:, inputs == block] for block in range(len(low))]
        return torch.stack([rank(*of) for of in zip(blocks, low, upper, strict=True)], dim=1)

    def _measured_columns(self, sizes: Sizes, params: plugin.Params) -> list[Array]:
        """Number of columns by measured effect, for each matrix, shape (bits, P, T, L, blocks of rows)."""
        everything = self._levels(sizes, params)
        columns = []
        for index in range(len(sizes.encoder.matrices)):
            levels = self.tiling.of_matrix(everything, sizes.encoder, index)
            beside = self.tiling.select_kept(sizes.encoder, sizes.demand, index)[1][..., None]
            columns.append(np.stack([(beside * (levels == step + 1)).sum(axis=-2) for step in range(len(self.bits))]))
        return columns

    def _even_columns(self, sizes: Sizes, params: plugin.Params) -> list[Array]:
        """Number of columns of weights that were not measured, for each matrix, shape (bits, P, A, L, blocks of rows)."""
        spreads = [self._even(sizes, params, index) for index in range(len(sizes.encoder.matrices))]
        return [np.stack([spread.at(step + 1) for step in range(len(self.bits))]) for spread in spreads]

    def _even(self, sizes: Sizes, params: plugin.Params, index: int) -> Even:
        """Spread the budget evenly over a matrix's blocks of rows in all layers, shape (P, A, L, blocks)."""
        above, _ = self.tiling.select_kept(sizes.encoder, sizes.demand, index)
        columns = sizes.columns[..., index, None] * (above > 0)
        spread = even(self.budget(params)[0], columns.reshape(*columns.shape[:2], -1), self.tiling.columns)
        return Even(*(values.reshape(columns.shape) for values in spread))

    def _count(self, params: plugin.Params) -> Array:
        """Number of steps that the budget allows, shape (P, T)."""
        mean, _ = self.budget(params)
        tiles = 0 if not self._positions else self._positions["norm"][0, 0].size
        return np.floor(mean * tiles + ROUNDING)

    def _levels(self, sizes: Sizes, params: plugin.Params) -> Array:
        """Level of every block, shape (P, T, L, blocks): a place in `bits` from 1, or 0 where the block is absent.

        Before the measurement every block has the largest number of bits, which is an upper bound.
        """
        points, tasks, layers = sizes.rows.shape[:3]
        if not self._positions:
            return np.full((points, tasks, layers, self.tiling.starts(sizes.encoder)[-1]), len(self.bits))
        by = self.budget(params)[1][:, :, None, None]
        count = self._count(params)
        taken = {name: _count_taken(ranks[None], count) for name, ranks in self._positions.items()}
        return np.where(by == "norm", taken["norm"], taken["effect"])


def _rank_steps(lost: Array) -> Array:
    """Rank of every step by its gain, shape (steps, L, blocks); the losses have the shape (1 + steps, L, blocks).

    Rank 0 has the largest gain. A step never comes before the step that it builds on.
    """
    gain = np.minimum.accumulate(-np.diff(lost.astype(np.float64), axis=0), axis=0)
    return positions(gain)


def _count_taken(ranks: Array, count: Array) -> Array:
    """Number of steps of each block, from all ranks (..., steps, L, blocks) and the number of all steps (...)."""
    return np.asarray((ranks < np.asarray(count)[..., None, None, None]).sum(axis=-3))
