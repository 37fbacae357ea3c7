"""Run benchmarks: one JSON object a line on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import importlib
import sys
from contextlib import redirect_stdout

from benchmarks.figures import REGISTERED, SETTINGS

MODULES = (
    "isaac",
    "crosscheck",
    "hardware",
    "loop",
    "command_line",
    "readers",
    "export",
    "accuracy",
    "quickstart",
    "nonideal",
    "kang_laws",
    "kang",
    "mgen",
    "order",
    "xma2",
    "search_quality.compare",
    "scale",
)

ALSO = {"mgen": ("mtl.", "combined.", "order.")}
"""Figures that are asked for with others, by prefix."""


def main() -> int:
    """Measure the figures whose names begin with the given prefix."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="prefix of the figures to measure")
    parser.add_argument("--full", action="store_true", help="start from an empty cache where it matters")
    wanted = parser.parse_args()
    SETTINGS.full = wanted.full
    asked = (wanted.only, *ALSO.get(wanted.only, ()))
    for module in MODULES:
        importlib.import_module(f"benchmarks.{module}")
    chosen = [
        (names, measure)
        for names, measure in REGISTERED.values()
        if any(name.startswith(asked) or wanted.only.startswith(name + ".") for name in names)
    ]
    if not chosen:
        known = ", ".join(name for names, _ in REGISTERED.values() for name in names)
        print(f"no figure begins with {wanted.only!r}\n  expected: {known}", file=sys.stderr)
        return 2
    out, missed = sys.stdout, 0
    for _, measure in chosen:
        with redirect_stdout(sys.stderr):
            figures = list(measure())
        for figure in figures:
            if figure.name.startswith(asked):
                missed += figure.met is False
                print(figure.line(), file=out, flush=True)
    if missed:
        print(f"{missed} target(s) missed", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
