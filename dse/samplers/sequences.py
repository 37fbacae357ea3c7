"""Designs of a fixed sequence, each by its place: random, quasi-random, or every design of a finite space once."""

import math
import random
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dse.records.arrays import Floats
from dse.samplers.encoding import Codec, Params, draw, spread
from dse.samplers.seeds import derive
from dse.space.searchspace import SearchSpace

PART = 256
"""Designs of a sequence that are asked at once: enough to cost them together, few enough to lose little when killed."""
GOLDEN = (math.sqrt(5) - 1) / 2
"""Share of the space between one design and the next: every beginning of the sequence covers the space evenly."""


def open_sequence(name: str, codec: Codec, seed: int, options: Mapping[str, Any]) -> Callable[[int], Params | None]:
    """Return the function from a place in the sequence to flat parameters; None behind the end.

    Args:
        name: name of Optuna's class whose place the sequence takes.
        codec: translation of the space.
        seed: seed of the study.
        options: options of that class.
    """
    if name == "RandomSampler":
        return lambda place: _draw_all(codec, derive(seed, place))
    if name == "QMCSampler":
        kind, scramble = options.get("qmc_type", "sobol"), options.get("scramble", False)
        dimensions = len(codec.choices) + len(codec.domains)
        return _open_quasi_random(codec, QuasiRandom(dimensions, seed, kind=kind, scramble=scramble))
    order = Order(codec.space, seed)
    return lambda place: codec.encode(codec.point_at(order.at(place))) if place < order.size else None


class Order:
    """An order of all designs of a finite space, whose beginnings cover the space evenly.

    Args:
        space: the space.
        seed: seed of the first design.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.size = int(space.size)
        self._step = next(step for step in range(int(self.size * GOLDEN) or 1, 2 * self.size + 1) if self._fits(step))
        self._first = derive(seed, "order") % self.size

    def at(self, place: int) -> int:
        """Return the number of the design at a place."""
        return (self._first + place * self._step) % self.size

    def _fits(self, step: int) -> bool:
        return math.gcd(step, self.size) == 1


class QuasiRandom:
    """Points of a Sobol or Halton sequence.

    Args:
        dimensions: number of coordinates.
        seed: seed of the scrambling.
        kind: ``sobol`` or ``halton``.
        scramble: whether the sequence is scrambled.
    """

    def __init__(self, dimensions: int, seed: int, *, kind: str = "sobol", scramble: bool = True) -> None:
        self._open: Callable[[], Any] = lambda: _engine(kind, max(dimensions, 1), seed, scramble=scramble)
        self._engine: Any = self._open()
        self._next = 0

    def points(self, first: int, count: int) -> Floats:
        """Return points number ``first`` to ``first + count`` of the sequence, (count, d), each coordinate in [0, 1)."""
        if first < self._next:
            self._engine, self._next = self._open(), 0
        if first > self._next:
            self._engine.fast_forward(first - self._next)
        self._next = first + count
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a part of a sequence need not have 2^n points
            return np.asarray(self._engine.random(count))


def _open_quasi_random(codec: Codec, points: QuasiRandom) -> Callable[[int], Params]:
    """Return the function from a place to flat parameters, with a coordinate for each choice of plugins and each element."""
    parts: dict[int, Floats] = {}

    def design(place: int) -> Params:
        part, within = divmod(place, PART)
        if part not in parts:
            parts.clear()
            parts[part] = points.points(part * PART, PART)
        shares = iter(parts[part][within].tolist())
        plugins: Params = {
            str(kind): names[int(share * len(names))]
            for (kind, names), share in zip(codec.choices.items(), shares, strict=False)
        }
        elements = zip(codec.domains.items(), shares, strict=False)
        return plugins | {name: spread(domain, np.array([share]))[0].item() for (name, domain), share in elements}

    return design


def _engine(kind: str, dimensions: int, seed: int, *, scramble: bool) -> Any:
    from scipy.stats import qmc

    make = qmc.Sobol if kind == "sobol" else qmc.Halton
    return make(dimensions, scramble=scramble, seed=seed)


def _draw_all(codec: Codec, seed: int) -> Params:
    source = random.Random(seed)  # noqa: S311  # a search, no secret
    plugins: Params = {str(kind): source.choice(names) for kind, names in codec.choices.items()}
    return plugins | {name: draw(domain, source) for name, domain in codec.domains.items()}
