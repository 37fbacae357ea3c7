"""Choose the level of each processing element (PE): frozen, reprogrammed, or resident beside the base."""

import numpy as np

from dse import plugin
from dse_plugins.shared import ROUNDING, Array, positions

FROZEN, REPROGRAMMED, RESIDENT = 0, 1, 2


def spread(layers: int, tiles: int) -> Array:
    """Places of PEs that were not measured, shape (L, PEs): each next place lies far from those before."""
    golden = (np.sqrt(5) - 1) / 2
    return positions(-((np.arange(layers * tiles) * golden) % 1).reshape(layers, tiles))


def levels(places: Array, params: plugin.Params) -> Array:
    """Level of every PE, shape (P, A, L, PEs).

    Args:
        places: places of PEs in descending order of effect, shape (P, A, L, PEs).
        params: ``share`` of PEs that have a version of their own, and ``resident``, the share of these that stay, each
            (P, A).
    """
    total = places.shape[-1] * places.shape[-2]
    own = np.floor(params["share"] * total + ROUNDING)
    stay = np.floor(params["resident"] * own + ROUNDING)
    over = (..., None, None)
    return np.where(places < stay[over], RESIDENT, np.where(places < own[over], REPROGRAMMED, FROZEN))
