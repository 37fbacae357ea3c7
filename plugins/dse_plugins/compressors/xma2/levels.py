"""Which processing elements (PEs) are frozen, reprogrammed, or resident beside the base."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.compressors.shared.even import ROUNDING

Array = NDArray[Any]
FROZEN, REPROGRAMMED, RESIDENT = 0, 1, 2


def positions(effects: Array) -> Array:
    """Place of every PE in the order of what it does, first what does most; of the same shape."""
    order = np.argsort(-effects, axis=None, kind="stable")
    found = np.empty(effects.size)
    found[order] = np.arange(effects.size)
    return found.reshape(effects.shape)


def spread(layers: int, tiles: int) -> Array:
    """Places (L, tiles) that spread over an encoder whose PEs were not measured: each next one far from those before."""
    golden = (np.sqrt(5) - 1) / 2
    return positions(-((np.arange(layers * tiles) * golden) % 1).reshape(layers, tiles))


def levels(places: Array, params: plugin.Params) -> Array:
    """Level of every PE, (P, A, L, tiles).

    Args:
        places: (P, A, L, tiles) in the order of what PEs do.
        params: ``share`` (P, A) of PEs that have a version of their own, and ``resident`` (P, A) of these that stay.
    """
    total = places.shape[-1] * places.shape[-2]
    own = np.floor(params["share"] * total + ROUNDING)
    stay = np.floor(params["resident"] * own + ROUNDING)
    over = (..., None, None)
    return np.where(places < stay[over], RESIDENT, np.where(places < own[over], REPROGRAMMED, FROZEN))
