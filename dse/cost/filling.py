"""Filling of a chip: its physical arrays, its tiles, and the share of its cells that hold weights."""

from __future__ import annotations

import numpy as np

from dse.records.arrays import Floats
from dse.records.charges import Components
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.geometry import Geometry


def describe_filling(demand: Demand, counts: Counts, components: Components, geometry: Geometry) -> dict[str, Floats]:
    """Return the number of arrays and tiles, and the share of the arrays' cells that are used, each (P,).

    A chip without arrays, all of whose weights are digital, has a utilisation that is not a number.
    """
    copies, none = count_copies(demand, components), np.full(demand.points, np.nan)
    arrays, cells = ((values * copies).sum(axis=(1, 2)) for values in (counts.arrays, counts.cells))
    with np.errstate(invalid="ignore"):
        utilisation = cells / (arrays * count_cells(geometry))
    return {
        "arrays": arrays,
        "tiles": none if components.tiles is None else components.tiles,
        "utilisation": utilisation,
    }


def count_copies(demand: Demand, components: Components) -> Floats:
    """Return the copies of each owner's arrays, (P, O, 1)."""
    if components.occupancy is None:
        return np.ones((demand.points, demand.owners, 1))
    return np.repeat(components.occupancy.replicas, [1, demand.groups, demand.tasks], axis=1)[..., None]


def count_cells(geometry: Geometry) -> Floats:
    """Return the cells of an array, (P,), with the column of flip encoding."""
    return np.asarray(geometry.rows * (geometry.columns + geometry.flip), dtype=float)
