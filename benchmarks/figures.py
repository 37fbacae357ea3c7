"""One figure, and the list of functions that measure figures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

Size = TypeVar("Size")
RECORDED = "recorded; benchmarks with --full measure it again"


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: dotted name.
        value: measured value.
        unit: unit of the value.
        target: what the value must reach, as text, e.g. ``<= 1.35``; empty where there is no target.
        compared: what the value was compared with.
    """

    name: str
    value: float
    unit: str
    target: str
    compared: str

    def line(self) -> str:
        """Return one JSON object."""
        return json.dumps(asdict(self) | {"value": round(self.value, 6)})

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is no target."""
        if not self.target:
            return None
        sign, _, number = self.target.partition(" ")
        return {"<=": self.value <= float(number), ">=": self.value >= float(number)}[sign]


@dataclass
class Settings:
    """The way to measure that a person asked for.

    Attributes:
        full: measure the long way too, from an empty cache.
        smoke: measure tiny problems, to see that every benchmark runs; the values mean nothing.
    """

    full: bool = False
    smoke: bool = False


SETTINGS = Settings()
Measure = Callable[[], Iterator[Figure]]


class BenchmarkError(Exception):
    """A benchmark cannot run, or does not yield the figures that it declares."""


@dataclass(frozen=True)
class Benchmark:
    """A function that measures, and what it declares.

    Attributes:
        names: names of all figures that it yields.
        measure: the function.
        long: it runs with ``--full`` or ``--smoke`` only.
        browser: it needs a Chromium.
    """

    names: tuple[str, ...]
    measure: Measure
    long: bool = False
    browser: bool = False

    @property
    def asked(self) -> bool:
        """Whether the settings ask for it."""
        return SETTINGS.full or SETTINGS.smoke or not self.long

    def check(self, figures: Sequence[Figure]) -> None:
        """Refuse figures that are missing, were not declared, or are not finite.

        Raises:
            BenchmarkError: the figures are not those that the benchmark declares.
        """
        measured = {figure.name: figure.value for figure in figures}
        wrong = {
            "missing": sorted(set(self.names) - set(measured)),
            "not declared": sorted(set(measured) - set(self.names)),
            "not finite": sorted(name for name, value in measured.items() if not math.isfinite(value)),
        }
        if any(wrong.values()):
            raise BenchmarkError("; ".join(f"{how}: {', '.join(names)}" for how, names in wrong.items() if names))


REGISTERED: dict[str, Benchmark] = {}


def measures(*names: str, long: bool = False, browser: bool = False) -> Callable[[Measure], Measure]:
    """Register a function by the names of the figures that it yields.

    Args:
        names: names of all its figures.
        long: the function runs with ``--full`` or ``--smoke`` only.
        browser: the function needs a Chromium.
    """

    def register(function: Measure) -> Measure:
        REGISTERED[names[0]] = Benchmark(names, function, long=long, browser=browser)
        return function

    return register


def choose_size(whole: Size, smoke: Size) -> Size:
    """Return the size of a problem: the whole one, or the tiny one of a smoke run."""
    return smoke if SETTINGS.smoke else whole


def best_of(function: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest time of several calls, in seconds: what the code takes when nothing else disturbs it."""
    times = []
    for _ in range(choose_size(repeats, 1)):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)
