"""Run benchmarks: one JSON object per line on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stdout

from benchmarks.figures import REGISTERED, SETTINGS, Benchmark, BenchmarkError, Figure
from benchmarks.smoke import isolate

MODULES = (
    "reproductions.isaac.run",
    "reproductions.crosscheck.run",
    "benchmarks.shared",
    "benchmarks.hardware",
    "benchmarks.serving",
    "benchmarks.loop",
    "benchmarks.command_line",
    "benchmarks.readers",
    "benchmarks.export",
    "benchmarks.accuracy",
    "benchmarks.quickstart",
    "benchmarks.wide",
    "benchmarks.yardstick",
    "benchmarks.nonideal",
    "benchmarks.device",
    "reproductions.kang2021.laws",
    "reproductions.kang2021.run",
    "reproductions.mgen2023.run",
    "reproductions.mgen2023.order",
    "reproductions.xma2.run",
    "benchmarks.search_quality.compare",
    "benchmarks.scale",
    "benchmarks.sweep",
)
"""Modules that declare figures, in the order in which they are measured."""

ALSO = {"mgen": ("mtl.", "combined.", "order.")}
"""Further prefixes of figures, by the prefix that asks for them too."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure the figures whose names begin with the given prefix; return an exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="prefix of the figures to measure")
    parser.add_argument("--full", action="store_true", help="also measure the slow figures, from an empty cache")
    parser.add_argument("--smoke", action="store_true", help="measure tiny problems, to see that every benchmark runs")
    wanted = parser.parse_args(words)
    SETTINGS.full, SETTINGS.smoke = wanted.full and not wanted.smoke, wanted.smoke
    with ExitStack() as stack:
        if SETTINGS.smoke:
            stack.enter_context(isolate())
        register()
        asked = (wanted.only, *ALSO.get(wanted.only, ()))
        chosen = choose(asked)
        if not chosen:
            known = ", ".join(name for one in REGISTERED.values() for name in one.names)
            print(f"no figure begins with {wanted.only!r}\n  expected: {known}", file=sys.stderr)
            return 2
        return measure_all(chosen, asked)


def register() -> None:
    """Import every module that declares figures."""
    for module in MODULES:
        importlib.import_module(module)


def choose(asked: tuple[str, ...]) -> list[Benchmark]:
    """Return the benchmarks with a figure that has one of the prefixes, or that one of the prefixes details."""
    only = asked[0]
    return [
        one
        for one in REGISTERED.values()
        if any(name.startswith(asked) or only.startswith(name + ".") for name in one.names)
    ]


def measure_all(chosen: Sequence[Benchmark], asked: tuple[str, ...]) -> int:
    """Measure and print figures; return an exit status: 1 if a benchmark cannot run."""
    missed, failed = 0, []
    for one in chosen:
        if not one.asked:
            print(f"measured with --full only: {', '.join(one.names)}", file=sys.stderr)
            continue
        try:
            figures = measure(one)
        except Exception as error:
            if not isinstance(error, BenchmarkError):
                traceback.print_exc()
            failed.append(f"{', '.join(one.names)}: {error}")
            continue
        for figure in figures:
            if figure.name.startswith(asked):
                missed += figure.met is False
                print(figure.line(), flush=True)
    if missed and not SETTINGS.smoke:
        print(f"{missed} target(s) missed", file=sys.stderr)
    for text in failed:
        print(f"this benchmark cannot run: {text}", file=sys.stderr)
    return 1 if failed else 0


def measure(one: Benchmark) -> list[Figure]:
    """Return all figures of one benchmark; whatever it prints goes to stderr.

    Raises:
        BenchmarkError: the benchmark lacks a browser, or its figures are not the declared ones.
    """
    with redirect_stdout(sys.stderr):
        if one.browser:
            from benchmarks.browser import provide

            provide()
        figures = list(one.measure())
    one.check(figures)
    return figures


if __name__ == "__main__":
    sys.exit(main())
