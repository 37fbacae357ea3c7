"""How much is kept where nothing is known of what it does: the same share everywhere, in whole blocks of columns.

Differences are first compressed on paper, so that arrays can be counted before weights exist; which columns are kept, the
weights tell when they are stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[Any]
ROUNDING = 1e-9


class Even(NamedTuple):
    """Levels of the columns of some cells; a cell is what columns are ranked within. All (P, A, cells).

    Attributes:
        low: level of a cell's columns.
        upper: how many of its columns, those that do most, are a level higher.
        columns: of the cell.
    """

    low: Array
    upper: Array
    columns: Array

    def at(self, level: int | Array) -> Array:
        """How many columns have a level, one or (P, 1, 1) of them."""
        return np.where(self.low == level, self.columns - self.upper, 0.0) + np.where(
            self.low + 1 == level, self.upper, 0.0
        )


def even(mean: Array, columns: Array, width: Array | int) -> Even:
    """Spread levels evenly over cells, one level of one block of columns at a time.

    Args:
        mean: (P, A) levels of a block, the mean over all cells.
        columns: (P, A, cells) live columns; 0 where nothing is left of a cell.
        width: columns of a block, or (P, 1, 1) of them.

    Returns:
        Levels that come to ``mean`` within one block, and never to more. Each cell is as near to it as whole blocks are.
    """
    blocks = np.ceil(columns / width)
    due = np.floor(mean[..., None] * np.cumsum(blocks, axis=-1) + ROUNDING)
    steps = np.diff(due, axis=-1, prepend=0.0)
    low = np.floor(steps / np.maximum(blocks, 1))
    return Even(low, np.minimum((steps - low * blocks) * width, columns), columns)


def rank(difference: Tensor, low: float, upper: float) -> Tensor:
    """Level of each output of a cell: those with the largest differences are one higher.

    Args:
        difference: float32 (outputs, inputs) of the cell.
        low: level of the others.
        upper: how many are higher.

    Returns:
        int64 (outputs,).
    """
    import torch

    order = torch.argsort(difference.square().sum(dim=1), descending=True, stable=True)
    levels = torch.full((len(difference),), int(low))
    levels[order[: int(upper)]] += 1
    return levels
