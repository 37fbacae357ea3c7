"""The designs of a sweep, by number: arrays of parameters, for each combination of plugins in turn."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.cost.combination import Combination, split_by_kind
from dse.records.arrays import Ints
from dse.records.design import DesignPoint
from dse.records.parameters import Int, lehmer_decode
from dse.records.params import Params
from dse.records.plugin import KINDS, Kind
from dse.results.points import to_tuples
from dse.samplers.encoding import spread, values_at
from dse.samplers.seeds import derive
from dse.samplers.sequences import QuasiRandom
from dse.space.domain import size
from dse.space.searchspace import SearchedParameter, SearchSpace

Arrays = Mapping[str, NDArray[Any]]
_COUNTABLE = 2.0**62
"""Designs of a combination up to which the number of a design is a whole number of 64 bits."""


@dataclass(frozen=True)
class Block:
    """Designs of one combination of plugins.

    Attributes:
        numbers: (P,) number of each design in the sweep.
        combination: plugins of the designs.
        values: parameters by full name, with a leading axis over the designs.
    """

    numbers: Ints
    combination: Combination
    values: Arrays

    @cached_property
    def params(self) -> dict[Kind, Params]:
        """Parameters of each kind's plugin."""
        return split_by_kind(self.combination, self.values, len(self.numbers))

    def point(self, place: int) -> DesignPoint:
        """Return one of the designs."""
        values = {name: to_tuples(array[place].tolist()) for name, array in self.values.items()}
        return DesignPoint(*self.combination, values)

    def cut(self, most: int) -> "Iterator[Block]":
        """Yield the designs in blocks of at most so many."""
        for start in range(0, len(self.numbers), most):
            at = slice(start, start + most)
            yield Block(self.numbers[at], self.combination, {name: item[at] for name, item in self.values.items()})

    def choose(self, mask: NDArray[np.bool_]) -> "Block":
        """Return some of the designs."""
        return Block(self.numbers[mask], self.combination, {name: item[mask] for name, item in self.values.items()})


class Designs:
    """Designs of a space: every one, or so many that are spread over it.

    Each combination of plugins has an equal share of the designs, or all of its designs where these are fewer. The others
    have the points of a scrambled Sobol sequence over the elements that the combination uses.

    Args:
        space: the space.
        count: number of designs; None: every design of a finite space.

    Attributes:
        count: number of points; a finite combination may meet a design twice, which then counts once.
    """

    def __init__(self, space: SearchSpace, count: int | None = None) -> None:
        generators, compressors, schedulers, hardware = (space.plugins[kind] for kind in KINDS)
        chosen = list(product(generators, compressors, schedulers, hardware))
        sizes = [
            math.prod(space.plugin_size(kind, name) for kind, name in zip(KINDS, one, strict=True)) for one in chosen
        ]
        counts = _share_out(sizes, count)
        starts = np.cumsum([0, *counts]).tolist()
        self.count = starts[-1]
        self._strata = [
            _Stratum(space, one, size, share, start)
            for one, size, share, start in zip(chosen, sizes, counts, starts[:-1], strict=True)
        ]

    def find(self, first: int, count: int) -> list[Block]:
        """Return designs number ``first`` to ``first + count``, in order. Ask for parts one after the other, each once."""
        blocks = (stratum.find(first, first + count) for stratum in self._strata)
        return [block for block in blocks if block is not None and len(block.numbers)]


def _share_out(sizes: list[float], count: int | None) -> list[int]:
    """Return how many designs each combination gets; small combinations are taken whole, the others share the rest evenly."""
    if count is None or count >= sum(sizes):
        return [int(size) for size in sizes]
    counts = [0] * len(sizes)
    left, open_ = count, sorted(range(len(sizes)), key=lambda index: sizes[index])
    for place, index in enumerate(open_):
        counts[index] = int(min(sizes[index], left // (len(open_) - place)))
        left -= counts[index]
    return counts


class _Stratum:
    """The designs of one combination, numbered from ``start`` in the sweep."""

    def __init__(self, space: SearchSpace, combination: Combination, size: float, count: int, start: int) -> None:
        self._combination, self._start, self._end = combination, start, start + count
        pairs = zip(KINDS, combination, strict=True)
        self._items = [item for kind, name in pairs for item in space.by_plugin[kind, name]]
        self._free = [element for item in self._items for element in item.elements if not element.is_fixed]
        self._whole = count == size
        self._countable = size < _COUNTABLE
        self._seen: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._points = QuasiRandom(len(self._free), derive(space.file.search.seed, "sweep", *combination))

    def find(self, first: int, end: int) -> Block | None:
        """Return the designs from ``first`` to ``end`` that belong to the combination and were not met before."""
        first, end = max(first, self._start), min(end, self._end)
        if first >= end:
            return None
        numbers = np.arange(first, end, dtype=np.int64)
        if self._whole:
            return Block(numbers, self._combination, self._decode(self._digits(numbers - self._start)))
        shares = self._points.points(first - self._start, end - first)
        chosen = {element.name: spread(element.domain, shares[:, place]) for place, element in enumerate(self._free)}
        block = Block(numbers, self._combination, self._decode(chosen))
        return block.choose(self._mask_new(shares)) if self._countable else block

    def _digits(self, places: Ints) -> dict[str, NDArray[Any]]:
        """Return the values of each element of designs number ``places`` of the combination."""
        values = {}
        for element in self._free:
            places, digits = np.divmod(places, int(size(element.domain)))
            values[element.name] = values_at(element.domain, digits)
        return values

    def _mask_new(self, shares: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Mask the points whose design no point before them has, and remember these designs."""
        places = np.zeros(len(shares), dtype=np.int64)
        for column, element in enumerate(self._free):
            count, digits = int(size(element.domain)), shares[:, column]
            if isinstance(element.domain, Int) and element.domain.log:
                digits = spread(element.domain, digits) - element.domain.low
            else:
                digits = np.floor(digits * count)
            places = places * count + digits.astype(np.int64)
        new = np.zeros(len(places), dtype=bool)
        new[np.unique(places, return_index=True)[1]] = True
        new &= ~np.isin(places, self._seen, kind="sort")
        self._seen = np.concatenate([self._seen, places[new]])
        return new

    def _decode(self, chosen: Arrays) -> dict[str, NDArray[Any]]:
        """Return parameters by full name from the values of free elements by name."""
        points = len(next(iter(chosen.values()))) if chosen else 1
        return {item.declared.full_name: _gather(item, chosen, points) for item in self._items}


def _gather(item: SearchedParameter, chosen: Arrays, points: int) -> NDArray[Any]:
    """Return the values (P, ...) of a parameter from those of its elements."""
    columns = [
        values_at(one.domain, np.zeros(points, dtype=np.int64)) if one.is_fixed else chosen[one.name]
        for one in item.elements
    ]
    if item.is_order:
        return _decode_orders(np.stack(columns, axis=1) if columns else np.zeros((points, 0), dtype=np.int64))
    return np.stack(columns, axis=1).reshape(points, *item.shape) if item.shape else columns[0]


def _decode_orders(codes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the orders (P, n) of Lehmer codes (P, n - 1)."""
    unique, places = np.unique(codes, axis=0, return_inverse=True)
    orders = np.array([lehmer_decode([int(digit) for digit in code]) for code in unique], dtype=np.int64)
    return orders[np.asarray(places).reshape(-1)]
