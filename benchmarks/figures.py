"""One figure, and the list of functions that measure them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: dotted.
        value: measured.
        unit: of the value.
        target: what it must reach, as text, e.g. ``<= 1.35``; empty where there is none.
        compared: what it was compared with.
    """

    name: str
    value: float
    unit: str
    target: str
    compared: str

    def line(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self) | {"value": round(self.value, 6)})

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if not self.target:
            return None
        sign, _, number = self.target.partition(" ")
        return {"<=": self.value <= float(number), ">=": self.value >= float(number)}[sign]


@dataclass
class Settings:
    """What a person asked for.

    Attributes:
        full: measure the long way too: from an empty cache.
    """

    full: bool = False


SETTINGS = Settings()
Measure = Callable[[], Iterator[Figure]]
REGISTERED: dict[str, tuple[tuple[str, ...], Measure]] = {}


def measures(*names: str) -> Callable[[Measure], Measure]:
    """Register a function by the names of the figures it yields."""

    def register(function: Measure) -> Measure:
        REGISTERED[names[0]] = names, function
        return function

    return register


def best_of(function: Callable[[], object], repeats: int = 5) -> float:
    """Shortest time in seconds of several calls: what the code takes when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)
