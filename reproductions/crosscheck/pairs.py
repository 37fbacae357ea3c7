"""Pairs of points that two models rank differently, and which part of the macro the difference comes from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reproductions.crosscheck.macros import PARTS, POINTS, Macros

Array = NDArray[Any]
TIED = "told apart by one only"
SEVERAL = "several parts together"
KNOBS = {"size": "array size", "adc_bits": "ADC bits", "cell_bits": "cell bits"}


@dataclass(frozen=True)
class Group:
    """Pairs with one cause.

    Attributes:
        cause: part (or parts, each enough) whose cost, taken from the peer, makes both rank the pair in the same way.
        knobs: what differs between the two points.
        pairs: number of pairs.
        first: the pair both are surest of, the one that ours says is less first.
        second: the other one.
    """

    cause: str
    knobs: str
    pairs: int
    first: dict[str, int]
    second: dict[str, int]


def disagreements(ours: Macros, peer: Macros, what: str) -> list[Group]:
    """Every pair that is ranked differently, in groups by cause and by knobs, the largest first."""
    mine, theirs = ours.total(what), peer.total(what)
    order, other = _order(mine), _order(theirs)
    differ = np.triu(order != other, k=1)
    resolved = {part: _order(_with(ours, peer, what, part)) == other for part in PARTS}
    certainty = np.minimum(*(np.abs(np.subtract.outer(np.log(total), np.log(total))) for total in (mine, theirs)))
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for one, two in np.argwhere(differ):
        tied = 0 in (order[one, two], other[one, two])
        enough = [part for part in PARTS if resolved[part][one, two]]
        cause = TIED if tied else " or ".join(enough) or SEVERAL
        knobs = " and ".join(text for name, text in KNOBS.items() if POINTS[one][name] != POINTS[two][name])
        found.setdefault((cause, knobs), []).append((int(one), int(two)))
    groups = []
    for (cause, knobs), pairs in found.items():
        one, two = max(pairs, key=lambda pair: certainty[pair])
        first, second = (one, two) if mine[one] <= mine[two] else (two, one)
        groups.append(Group(cause, knobs, len(pairs), POINTS[first], POINTS[second]))
    return sorted(groups, key=lambda group: (-group.pairs, group.cause, group.knobs))


def by_cause(groups: list[Group]) -> Counter[str]:
    """Pairs of each cause."""
    found: Counter[str] = Counter()
    for group in groups:
        found[group.cause] += group.pairs
    return found


def _with(ours: Macros, peer: Macros, what: str, part: str) -> Array:
    """Our totals with one part's cost taken from the peer."""
    mine, theirs = getattr(ours, what), getattr(peer, what)
    return np.asarray(sum(theirs[name] if name == part else mine[name] for name in PARTS))


def _order(values: Array) -> Array:
    """Sign (N, N) of every difference; what agrees to nine digits is equal."""
    difference = np.subtract.outer(values, values)
    scale = np.maximum.outer(values, values)
    return np.where(np.abs(difference) < 1e-9 * scale, 0, np.sign(difference)).astype(int)
