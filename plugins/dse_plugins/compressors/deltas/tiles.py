"""What compressors of whole arrays share: a difference cut into array-sized tiles, each in its own number of bits or absent.

Which tiles are worth most is measured on the tasks' own models. Where a generator trains others, every block of rows has the
same share of its columns, in whole tiles, and the weights tell which columns these are.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array, DeltaCompressor, Difference, Part, Sizes
from dse_plugins.compressors.deltas.tile_effects import TileOptions, measure_tiles
from dse_plugins.compressors.shared.even import ROUNDING, Even, even, rank
from dse_plugins.compressors.shared.tiling import Tiling

if TYPE_CHECKING:
    from torch import Tensor


class TileCompressor(DeltaCompressor):
    """Differences whose tiles are taken in order of what they do, until a budget is spent.

    Attributes:
        bits: magnitude bits a tile may have, ascending from 1; each more bit is a step of its own.
    """

    bits: tuple[int, ...] = (1,)

    def __init__(self, options: TileOptions) -> None:
        super().__init__(options)
        self.options = options
        self.tiling = Tiling(options.tile_rows, options.tile_columns)
        self._encoder: plugin.Encoder | None = None
        self._positions: dict[str, Array] = {}

    @abstractmethod
    def budget(self, params: plugin.Params) -> tuple[Array, Array]:
        """Mean bits of a tile (P, A), and by what tiles are ordered (P, A) where that is measured: ``norm`` or ``effect``."""

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, what every tile does to the logits, and order the steps."""
        super().prepare(context)
        workload = context.workload
        tables = []
        options = self.options.model_dump()
        for task, name in enumerate(workload.task_names):
            digests = {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}
            make = partial(measure_tiles, context, task, self._scales, self.options, self.bits)
            tables.append(context.cached(f"effects of tiles of {name}", digests | options, make))
        self._encoder = workload.encoder
        self._positions = {by: np.stack([_positions(table[by]) for table in tables]) for by in ("norm", "effect")}

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Take, of every block of rows, the blocks of columns that have so many bits."""
        heights = [self.tiling.row_blocks(matrix) for matrix in sizes.encoder.matrices]
        live_columns = (self._measured_columns if sizes.demand.measured else self._even_columns)(sizes, params)
        shape = sizes.rows.shape
        found = []
        for block in range(max(heights)):
            rows, columns = np.zeros(shape), np.zeros((len(self.bits), *shape))
            for index, height in enumerate(heights):
                if block >= height:
                    continue
                rows[..., index] = self.tiling.select_kept(sizes.encoder, sizes.demand, index)[0][..., block]
                columns[..., index] = live_columns[index][..., block]
            for step, bits in enumerate(self.bits):
                live = (rows > 0) & (columns[step] > 0)
                found.append(Part(rows, columns[step], live * (2.0**bits - 1), sizes.columns))
        return tuple(found)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store each block of rows in each number of bits."""
        assert self._encoder is not None
        inputs = difference.weights.block_of(difference.key, self.tiling.rows, inputs=True)
        levels = (self._measured_levels if difference.weights.measured else self._ranked_levels)(difference, params)
        nothing = plugin.Term(difference.codes[:0], difference.scale, 1, shared_scale=True)
        most = max(self.tiling.row_blocks(matrix) for matrix in self._encoder.matrices)
        found = []
        for block in range(most):
            rows = (inputs == block).nonzero()[:, 0]
            for step, bits in enumerate(self.bits):
                columns = (levels[:, block] == step + 1).nonzero()[:, 0] if len(rows) else rows
                if not len(columns):
                    found.append(nothing)
                    continue
                top = 2**bits - 1
                codes = difference.codes[columns[:, None], rows].clamp(-top, top)
                found.append(plugin.Term(codes, difference.scale, top, columns=columns, rows=rows, shared_scale=True))
        return tuple(found)

    def _measured_levels(self, difference: Difference, params: plugin.Params) -> Tensor:
        """Which of `bits`, counted from 1, each output has in each block of rows, (outputs, blocks), as measured."""
        import torch

        layer, index = difference.key
        assert self._encoder is not None
        count = self._count(params)[0, difference.place]
        by = str(self.budget(params)[1][0, difference.place])
        levels = _count_taken(self._positions[by][difference.place], count)[layer]
        outputs = difference.weights.block_of(difference.key, self.tiling.columns, inputs=False)
        return torch.from_numpy(self.tiling.of_matrix(levels, self._encoder, index))[outputs]

    def _ranked_levels(self, difference: Difference, params: plugin.Params) -> Tensor:
        """The same of weights that were not measured: the largest differences of each block of rows have most."""
        import torch

        layer, index = difference.key
        demand = difference.weights.demand
        assert self._encoder is not None
        assert demand is not None
        spread = self._even(Sizes.of(self._encoder, demand), params, index)
        inputs = difference.weights.block_of(difference.key, self.tiling.rows, inputs=True)
        low, upper = (values[0, difference.place, layer].tolist() for values in (spread.low, spread.upper))
        blocks = [difference.values[:, inputs == block] for block in range(len(low))]
        return torch.stack([rank(*of) for of in zip(blocks, low, upper, strict=True)], dim=1)

    def _measured_columns(self, sizes: Sizes, params: plugin.Params) -> list[Array]:
        """Columns of each matrix in each number of bits and block of rows, (bits, P, T, L, blocks), as measured."""
        everything = self._levels(sizes, params)
        found = []
        for index in range(len(sizes.encoder.matrices)):
            levels = self.tiling.of_matrix(everything, sizes.encoder, index)
            beside = self.tiling.select_kept(sizes.encoder, sizes.demand, index)[1][..., None]
            found.append(np.stack([(beside * (levels == step + 1)).sum(axis=-2) for step in range(len(self.bits))]))
        return found

    def _even_columns(self, sizes: Sizes, params: plugin.Params) -> list[Array]:
        """The same of weights that were not measured, (bits, P, A, L, blocks)."""
        spreads = [self._even(sizes, params, index) for index in range(len(sizes.encoder.matrices))]
        return [np.stack([spread.at(step + 1) for step in range(len(self.bits))]) for spread in spreads]

    def _even(self, sizes: Sizes, params: plugin.Params, index: int) -> Even:
        """Spread the budget evenly over a matrix's blocks of rows in all layers, each (P, A, L, blocks)."""
        above, _ = self.tiling.select_kept(sizes.encoder, sizes.demand, index)
        columns = sizes.columns[..., index, None] * (above > 0)
        spread = even(self.budget(params)[0], columns.reshape(*columns.shape[:2], -1), self.tiling.columns)
        return Even(*(values.reshape(columns.shape) for values in spread))

    def _count(self, params: plugin.Params) -> Array:
        """Steps (P, T) that the budget allows."""
        mean, _ = self.budget(params)
        tiles = 0 if not self._positions else self._positions["norm"][0, 0].size
        return np.floor(mean * tiles + ROUNDING)

    def _levels(self, sizes: Sizes, params: plugin.Params) -> Array:
        """Which of `bits`, counted from 1, every tile has, (P, T, L, tiles); 0 where it is absent.

        Before anything is measured every tile has most, an upper bound.
        """
        points, tasks, layers = sizes.rows.shape[:3]
        if not self._positions:
            return np.full((points, tasks, layers, self.tiling.starts(sizes.encoder)[-1]), len(self.bits))
        by = self.budget(params)[1][:, :, None, None]
        count = self._count(params)
        taken = {name: _count_taken(positions[None], count) for name, positions in self._positions.items()}
        return np.where(by == "norm", taken["norm"], taken["effect"])


def _positions(lost: Array) -> Array:
    """Place of every step in the order of good done, (steps, L, tiles), from what is lost after each (1 + steps, ...).

    A step never comes before the one it builds on.
    """
    gain = np.minimum.accumulate(-np.diff(lost.astype(np.float64), axis=0), axis=0)
    order = np.argsort(-gain, axis=None, kind="stable")
    positions = np.empty(gain.size)
    positions[order] = np.arange(gain.size)
    return positions.reshape(gain.shape)


def _count_taken(positions: Array, count: Array) -> Array:
    """Steps taken of each tile, from places (..., steps, L, tiles) and how many are taken (...)."""
    return np.asarray((positions < np.asarray(count)[..., None, None, None]).sum(axis=-3))
