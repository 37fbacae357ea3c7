"""An even spread, for weights whose effect was not measured: the same share everywhere, in whole blocks of columns.

The spread gives numbers of columns, so that arrays can be counted before weights exist. The weights decide which
columns they are when they are stored.
"""

from typing import NamedTuple

import numpy as np

from dse_plugins.shared import ROUNDING, Array, Tensor


class Even(NamedTuple):
    """Levels of the columns of some parts; a part is a set of columns that are ranked together. Shape (P, A, parts).

    Attributes:
        low: level of a part's columns.
        upper: number of the part's columns, those with the largest effect, that are one level higher.
        columns: number of the part's columns.
    """

    low: Array
    upper: Array
    columns: Array

    def at(self, level: int | Array) -> Array:
        """Number of columns that have a level; the level is one number, or shape (P, 1, 1)."""
        return np.where(self.low == level, self.columns - self.upper, 0.0) + np.where(
            self.low + 1 == level, self.upper, 0.0
        )


def even(mean: Array, columns: Array, width: Array | int) -> Even:
    """Spread levels evenly over parts, one level of one block of columns at a time.

    Args:
        mean: mean level of a block over all parts, shape (P, A).
        columns: number of live columns of each part, shape (P, A, parts); 0 where nothing of the part is kept.
        width: number of columns of a block, or shape (P, 1, 1).

    Returns:
        Levels whose mean is at most ``mean`` and falls short of it by less than one block. Each part's own mean is as
        near to ``mean`` as whole blocks allow.
    """
    blocks = np.ceil(columns / width)
    due = np.floor(mean[..., None] * np.cumsum(blocks, axis=-1) + ROUNDING)
    steps = np.diff(due, axis=-1, prepend=0.0)
    low = np.floor(steps / np.maximum(blocks, 1))
    return Even(low, np.minimum((steps - low * blocks) * width, columns), columns)


def rank(difference: Tensor, low: float, upper: float) -> Tensor:
    """Level of each output of a part: the outputs with the largest deltas are one level higher.

    Args:
        difference: delta of the part, float32 (outputs, inputs).
        low: level of the other outputs.
        upper: number of outputs that are one level higher.

    Returns:
        Levels, int64 (outputs,).
    """
    import torch

    order = torch.argsort(difference.square().sum(dim=1), descending=True, stable=True)
    levels = torch.full((len(difference),), int(low))
    levels[order[: int(upper)]] += 1
    return levels
