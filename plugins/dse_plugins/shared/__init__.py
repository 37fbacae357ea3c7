"""Names and helpers that built-in plugins of several kinds share."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    Tensor: TypeAlias = torch.Tensor
else:
    Tensor = Any  # torch loads where weights do, not with the types

Array = NDArray[Any]
Key = tuple[int, int]
"""A matrix: its layer, and its index in the layer."""
ROUNDING = 1e-9
"""Added before a number is rounded down, so that a product that should be whole does not lose a unit."""


def positions(effects: Array) -> NDArray[np.int64]:
    """Place of every value in descending order, in the shape of the values; equal values keep their order."""
    places = np.empty(effects.size, dtype=np.int64)
    places[np.argsort(-effects, axis=None, kind="stable")] = np.arange(effects.size)
    return places.reshape(effects.shape)


def name_of(key: Key) -> str:
    """Name of a matrix among the parameters and in the state of an adapter."""
    return f"{key[0]}-{key[1]}"
