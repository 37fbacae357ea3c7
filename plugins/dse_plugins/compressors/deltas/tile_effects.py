"""Effect of every array-sized block of a task's deltas on the logits, measured on training rows."""

from typing import Any

from pydantic import Field

from dse import plugin
from dse_plugins.compressors.shared.tiling import Tiling
from dse_plugins.shared import Array, Key, Tensor
from dse_plugins.shared.measuring import stack_matrices


class TilingOptions(plugin.Options):
    """Options of compressors that treat a matrix in array-sized blocks.

    Attributes:
        tile_rows: wordlines of a block; arrays of the hardware should have the same number.
        tile_columns: bitlines of a block; arrays of the hardware should have the same number.
    """

    tile_rows: int = Field(default=128, ge=1)
    tile_columns: int = Field(default=128, ge=1)

    @property
    def tiling(self) -> Tiling:
        """Cut of matrices into blocks of this size."""
        return Tiling(self.tile_rows, self.tile_columns)


class TileOptions(TilingOptions):
    """Options of compressors that choose blocks by their effect.

    Attributes:
        tile_rows, tile_columns: the options of `TilingOptions`.
        rows: number of training rows of each task on which the effect of blocks is measured.
    """

    rows: int = Field(default=384, ge=8)


def measure_tiles(
    context: plugin.Context, task: int, scales: dict[Key, Tensor], options: TileOptions, bits: tuple[int, ...]
) -> dict[str, Array]:
    """Measure every block of every matrix: the loss without it, and the loss in each number of bits.

    To first order, leaving ``r`` out of a block changes a row's logits by the sum over tokens and the block's outputs
    of ``g (x r)``, with inputs ``x`` and gradients ``g`` at the outputs.

    Returns:
        Arrays ``norm`` and ``effect``, shape (1 + bits, L, blocks of all matrices): the squared delta that is left out,
        and the mean square change of the logits on training rows.
    """
    import torch

    base, tuned = context.base_weights(), context.task_weights(task)
    left: dict[Key, Tensor] = {}
    for key, scale in scales.items():
        parts = plugin.decompose(base[key], tuned[key], scale=scale)
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
    norms = {}
    for key, out in left.items():
        squares = [part.square().sum(dim=-1) for part in out.split(options.tile_rows, dim=2)]
        norms[key] = torch.stack([_sums(values, options.tile_columns) for values in squares], dim=-1)
    encoder = context.workload.encoder
    return {
        "norm": stack_matrices(norms, encoder),
        "effect": stack_matrices({key: value / count for key, value in effect.items()}, encoder),
    }


def _squares(inputs: Tensor, gradients: Tensor, left: Tensor, options: TileOptions) -> Tensor:
    """Squared changes summed over rows, shape (forms, blocks of columns, blocks of rows)."""
    import torch

    blocks = []
    for part, seen in zip(left.split(options.tile_rows, dim=2), inputs.split(options.tile_rows, dim=-1), strict=True):
        changes = [((seen @ form.T) * gradients).sum(dim=1) for form in part]
        blocks.append(torch.stack([_sums(change, options.tile_columns).square().sum(dim=0) for change in changes]))
    return torch.stack(blocks, dim=-1)


def _sums(values: Tensor, size: int) -> Tensor:
    """Sum the last axis block by block."""
    import torch

    return torch.stack([block.sum(dim=-1) for block in values.split(size, dim=-1)], dim=-1)
