"""From designs to arrays: the designs of one plugin combination become the parameters of its four plugins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dse.records.design import DesignPoint
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plugin import KINDS, Kind

Combination = tuple[str, str, str, str]
"""Plugin names in the order of `KINDS`."""


def combination(point: DesignPoint) -> Combination:
    """Return the plugin names of a design."""
    return (point.generator, point.compressor, point.scheduler, point.hardware)


def group_by_combination(points: Sequence[DesignPoint]) -> dict[Combination, list[int]]:
    """Return the positions of the designs of each plugin combination."""
    groups: dict[Combination, list[int]] = {}
    for index, point in enumerate(points):
        groups.setdefault(combination(point), []).append(index)
    return groups


def stack(points: Sequence[DesignPoint]) -> dict[Kind, Params]:
    """Return the parameters of each kind's plugin, with a leading axis over the designs, which share one combination.

    The hardware receives the input bits that stand with the compressor, unless it declares input bits of its own.
    """
    values: dict[Kind, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    prefixes = {f"{kind}.{points[0].plugin(kind)}.": kind for kind in KINDS}
    for full_name in points[0].values:
        for prefix, kind in prefixes.items():
            if full_name.startswith(prefix):
                values[kind][full_name[len(prefix) :]] = np.array([point.values[full_name] for point in points])
    of_design = values["compressor"].get(INPUT_BITS.name, np.full(len(points), INPUT_BITS.default))
    values["hardware"].setdefault(INPUT_BITS.name, of_design)
    return {kind: Params(len(points), values[kind]) for kind in KINDS}
