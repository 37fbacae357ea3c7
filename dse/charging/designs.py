"""Designs to charge: what the core counted for them, and the unit costs of their chip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.charging.options import TiledOptions
from dse.charging.tile import Tile
from dse.records.arrays import Bools, Floats, Ints
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.params import Params
from dse.records.plan import BASE, DROPPED
from dse.records.workload import Workload


@dataclass(frozen=True)
class Designs:
    """P designs of one hardware model, with everything that their charges depend on."""

    workload: Workload
    demand: Demand
    counts: Counts
    footprint: Footprint
    params: Params
    geometry: Geometry
    tile: Tile
    options: TiledOptions

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each component among the C components."""
        return {name: place for place, name in enumerate(self.tile.names)}

    @cached_property
    def tokens(self) -> Floats:
        """Mean number of tokens of each task's inputs, (T,)."""
        return np.array([task.tokens for task in self.workload.tasks])

    @cached_property
    def runs(self) -> Bools:
        """Whether each task runs a layer, (P, T, L)."""
        return np.asarray(self.demand.owner != DROPPED)

    def per_pass(self, name: str) -> Floats:
        """Return a count of each task's owner and, if it is a delta, of the base, which runs on the same input, (P, T, L)."""
        values, owner = getattr(self.counts, name), self.demand.owner
        on_base = of_tasks(self.footprint.on_base, owner)
        return np.asarray(of_tasks(values, owner) + on_base * values[:, BASE, None, :])


def of_tasks(values: Floats | Bools, owner: Ints) -> Floats:
    """Value of each task's owner, (P, T, L), from values of owners (P, O, L); zero for a dropped layer."""
    points, _, layers = owner.shape
    if values.shape == (1, 1, 1):  # one value for all layers
        return np.where(owner == DROPPED, 0, values)
    at = np.arange(points)[:, None, None], owner, np.arange(layers)
    gathered = np.broadcast_to(values, (points, *values.shape[1:]))[at]
    return np.asarray(np.where(owner == DROPPED, 0, gathered))


def widen(values: float | NDArray[Any], axes: int = 3) -> NDArray[Any]:
    """Return a number, or one per design (P,), with axes of length 1 behind the first."""
    return np.reshape(values, (-1, *[1] * (axes - 1)))
