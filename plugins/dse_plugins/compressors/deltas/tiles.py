"""What compressors of whole arrays share: a difference cut into array-sized tiles, each in its own number of bits or absent."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

import dse
from dse_plugins.compressors.deltas.common import Array, DeltaCompressor, Difference, Key, Part, Sizes

if TYPE_CHECKING:
    from torch import Tensor

_ROUNDING = 1e-9


class TileOptions(dse.Options):
    """Options of what stores whole arrays.

    Attributes:
        tile_rows: wordlines of a tile; arrays of the hardware should have as many.
        tile_columns: bitlines of a tile, likewise.
        rows: training rows of each task that tell what a tile does to the logits.
    """

    tile_rows: int = Field(default=128, ge=1)
    tile_columns: int = Field(default=128, ge=1)
    rows: int = Field(default=384, ge=8)


class TileCompressor(DeltaCompressor):
    """Differences whose tiles are taken in order of what they do, until a budget is spent.

    Attributes:
        bits: magnitude bits a tile may have, ascending from 1; each more bit is a step of its own.
    """

    bits: tuple[int, ...] = (1,)

    def __init__(self, options: TileOptions) -> None:
        super().__init__(options)
        self.options = options
        self._encoder: dse.Encoder | None = None
        self._positions: dict[str, Array] = {}

    @abstractmethod
    def budget(self, params: dse.Params) -> tuple[Array, Array]:
        """Mean bits of a tile (P, T), and by what tiles are ordered (P, T): ``norm`` or ``effect``."""

    def prepare(self, context: dse.Context) -> None:
        """Measure, once for each task, what every tile does to the logits, and order the steps."""
        super().prepare(context)
        workload = context.workload
        tables = []
        options = self.options.model_dump()
        for task, name in enumerate(workload.task_names):
            digests = {part: workload.digests.get(part) for part in ("base", f"task.{name}", f"data.{name}")}
            make = partial(measured, context, task, self._scales, self.options, self.bits)
            tables.append(context.cached(f"effects of tiles of {name}", digests | options, make))
        self._encoder = workload.encoder
        self._positions = {by: np.stack([_positions(table[by]) for table in tables]) for by in ("norm", "effect")}

    def parts(self, sizes: Sizes, params: dse.Params) -> tuple[Part, ...]:
        """Take, of every block of rows, the blocks of columns that have so many bits."""
        levels = self._levels(sizes, params)
        heights = [_blocks(matrix.rows, self.options.tile_rows) for matrix in sizes.encoder.matrices]
        begin = _starts(sizes.encoder, self.options)
        shape = sizes.rows.shape
        found = []
        for block in range(max(heights)):
            rows, columns = np.zeros(shape), np.zeros((len(self.bits), *shape))
            for index, height in enumerate(heights):
                if block >= height:
                    continue
                above, beside = self._kept(sizes, index)
                rows[..., index] = above[..., block]
                part = levels[..., begin[index] : begin[index + 1]].reshape(*levels.shape[:3], -1, height)[..., block]
                for step in range(len(self.bits)):
                    columns[step, ..., index] = (beside * (part == step + 1)).sum(axis=-1)
            for step, bits in enumerate(self.bits):
                live = (rows > 0) & (columns[step] > 0)
                found.append(Part(rows, columns[step], live * (2.0**bits - 1), sizes.columns))
        return tuple(found)

    def terms(self, difference: Difference, params: dse.Params) -> tuple[dse.Term, ...]:
        """Store each block of rows in each number of bits."""
        import torch

        layer, index = difference.key
        assert self._encoder is not None
        begin = _starts(self._encoder, self.options)
        count = self._count(params)[0, difference.task]
        by = str(self.budget(params)[1][0, difference.task])
        levels = _taken(self._positions[by][difference.task], count)[layer, begin[index] : begin[index + 1]]
        matrix = self._encoder.matrices[index]
        outputs = _block_of(difference.weights.outputs.get(difference.key), matrix.columns, self.options.tile_columns)
        inputs = _block_of(difference.weights.inputs.get(difference.key), matrix.rows, self.options.tile_rows)
        grid = torch.from_numpy(levels.reshape(-1, _blocks(matrix.rows, self.options.tile_rows)))
        nothing = dse.Term(difference.codes[:0], difference.scale, 1, shared_scale=True)
        most = max(_blocks(other.rows, self.options.tile_rows) for other in self._encoder.matrices)
        found = []
        for block in range(most):
            rows = (inputs == block).nonzero()[:, 0]
            for step, bits in enumerate(self.bits):
                columns = (grid[outputs, block] == step + 1).nonzero()[:, 0] if len(rows) else rows
                if not len(columns):
                    found.append(nothing)
                    continue
                top = 2**bits - 1
                codes = difference.codes[columns[:, None], rows].clamp(-top, top)
                found.append(dse.Term(codes, difference.scale, top, columns=columns, rows=rows, shared_scale=True))
        return tuple(found)

    def _count(self, params: dse.Params) -> Array:
        """Steps (P, T) that the budget allows."""
        mean, _ = self.budget(params)
        tiles = 0 if not self._positions else self._positions["norm"][0, 0].size
        return np.floor(mean * tiles + _ROUNDING)

    def _levels(self, sizes: Sizes, params: dse.Params) -> Array:
        """Which of `bits`, counted from 1, every tile has, (P, T, L, tiles); 0 where it is absent.

        Before anything is measured every tile has most, an upper bound.
        """
        points, tasks, layers = sizes.rows.shape[:3]
        if not self._positions:
            return np.full((points, tasks, layers, _starts(sizes.encoder, self.options)[-1]), len(self.bits))
        by = self.budget(params)[1][:, :, None, None]
        count = self._count(params)
        taken = {name: _taken(positions[None], count) for name, positions in self._positions.items()}
        return np.where(by == "norm", taken["norm"], taken["effect"])

    def _kept(self, sizes: Sizes, index: int) -> tuple[Array, Array]:
        """Rows of each block of rows and columns of each block of columns that are left, (P, T, L, blocks)."""
        matrix, own = sizes.encoder.matrices[index], slice(sizes.demand.task_owner(0), None)
        found = []
        for size, tile, kept in (
            (matrix.rows, self.options.tile_rows, dse.kept_inputs(sizes.encoder, sizes.demand, index)),
            (matrix.columns, self.options.tile_columns, dse.kept_outputs(sizes.encoder, sizes.demand, index)),
        ):
            mask = np.ones((1, 1, 1, size)) if kept is None else kept[:, own].astype(float)
            found.append(np.add.reduceat(mask, np.arange(0, size, tile), axis=-1))
        return found[0], found[1]


def measured(
    context: dse.Context, task: int, scales: dict[Key, Tensor], options: TileOptions, bits: tuple[int, ...]
) -> dict[str, Array]:
    """Measure every tile of every matrix: what is lost without it, and in each number of bits.

    To first order, leaving ``r`` out of a tile changes a row's logits by the sum over tokens and the tile's outputs of
    ``g (x r)``, with inputs ``x`` and gradients ``g`` at the outputs.

    Returns:
        ``norm`` and ``effect`` (1 + bits, L, tiles of all matrices): squared difference left out, and mean square change
        of the logits on training rows.
    """
    import torch

    base, tuned = context.base_weights(), context.task_weights(task)
    left: dict[Key, Tensor] = {}
    for key, scale in scales.items():
        parts = dse.decompose(base[key], tuned[key], scale=scale)
        whole = tuned[key] - parts.base * scale
        tops = [2**count - 1 for count in bits]
        left[key] = torch.stack([whole, *(whole - parts.delta.clamp(-top, top) * scale for top in tops)])
    effect: dict[Key, Any] = dict.fromkeys(left, 0.0)
    count = 0
    for seen in context.observe(task, options.rows):
        count += len(seen.mask)
        for key, out in left.items():
            inputs, gradients = seen.inputs[key], seen.gradients[key] * seen.mask[..., None]
            effect[key] = effect[key] + _squares(inputs, gradients, out.to(gradients), options).cpu()
    norms = {
        key: torch.stack(
            [
                torch.stack([_sums(part.square().sum(dim=-1), options.tile_columns) for part in rows], dim=-1)
                for rows in (form.split(options.tile_rows, dim=1) for form in out)
            ]
        )
        for key, out in left.items()
    }
    encoder = context.workload.encoder
    return {
        "norm": _stacked(norms, encoder),
        "effect": _stacked({key: value / count for key, value in effect.items()}, encoder),
    }


def _squares(inputs: Tensor, gradients: Tensor, left: Tensor, options: TileOptions) -> Tensor:
    """Squared changes summed over rows, (forms, blocks of columns, blocks of rows)."""
    import torch

    blocks = []
    for part, seen in zip(left.split(options.tile_rows, dim=2), inputs.split(options.tile_rows, dim=-1), strict=True):
        changes = [((seen @ form.T) * gradients).sum(dim=1) for form in part]
        blocks.append(torch.stack([_sums(change, options.tile_columns).square().sum(dim=0) for change in changes]))
    return torch.stack(blocks, dim=-1)


def _sums(values: Tensor, size: int) -> Tensor:
    """Sum the last axis in blocks."""
    import torch

    return torch.stack([block.sum(dim=-1) for block in values.split(size, dim=-1)], dim=-1)


def _stacked(parts: dict[Key, Tensor], encoder: dse.Encoder) -> Array:
    """Put (forms, blocks of columns, blocks of rows) of every matrix into one table (forms, L, tiles)."""
    rows = [
        np.concatenate(
            [parts[layer, index].flatten(start_dim=1).numpy() for index in range(len(encoder.matrices))], axis=1
        )
        for layer in range(encoder.layers)
    ]
    return np.stack(rows, axis=1)


def _positions(lost: Array) -> Array:
    """Place of every step in the order of good done, (steps, L, tiles), from what is lost after each (1 + steps, ...).

    A step never comes before the one it builds on.
    """
    gain = np.minimum.accumulate(-np.diff(lost.astype(np.float64), axis=0), axis=0)
    order = np.argsort(-gain, axis=None, kind="stable")
    positions = np.empty(gain.size)
    positions[order] = np.arange(gain.size)
    return positions.reshape(gain.shape)


def _taken(positions: Array, count: Array) -> Array:
    """Steps taken of each tile, from places (..., steps, L, tiles) and how many are taken (...)."""
    return np.asarray((positions < np.asarray(count)[..., None, None, None]).sum(axis=-3))


def _blocks(size: int, tile: int) -> int:
    return -(-size // tile)


def _starts(encoder: dse.Encoder, options: TileOptions) -> list[int]:
    """Where each matrix's tiles begin among those of a layer, and where they end."""
    tiles = [
        _blocks(matrix.rows, options.tile_rows) * _blocks(matrix.columns, options.tile_columns)
        for matrix in encoder.matrices
    ]
    return [0, *np.cumsum(tiles).tolist()]


def _block_of(kept: Tensor | None, size: int, tile: int) -> Tensor:
    """Block each output or input that is left belongs to."""
    import torch

    return (torch.arange(size) if kept is None else kept) // tile
