"""From designs to arrays: the designs of one plugin combination become the parameters of its four plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    names = points[0].values
    return split_by_kind(
        combination(points[0]), {name: np.array([one.values[name] for one in points]) for name in names}, len(points)
    )


def split_by_kind(chosen: Combination, arrays: Mapping[str, NDArray[Any]], points: int) -> dict[Kind, Params]:
    """Return the parameters of each kind's plugin from arrays by full name, with a leading axis over the designs."""
    values: dict[Kind, dict[str, NDArray[Any]]] = {kind: {} for kind in KINDS}
    prefixes = {f"{kind}.{name}.": kind for kind, name in zip(KINDS, chosen, strict=True)}
    for full_name, array in arrays.items():
        for prefix, kind in prefixes.items():
            if full_name.startswith(prefix):
                values[kind][full_name[len(prefix) :]] = array
    of_design = values["compressor"].get(INPUT_BITS.name, np.full(points, INPUT_BITS.default))
    values["hardware"].setdefault(INPUT_BITS.name, of_design)
    return {kind: Params(points, values[kind]) for kind in KINDS}
