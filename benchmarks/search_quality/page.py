"""The numbers of the page on samplers, from the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.pages import DOCS, fill, table
from benchmarks.search_quality.course import REFERENCE
from benchmarks.search_quality.settings import BUDGET, OURS, POPULATION, RECORDS, SEEDS, SEEDS_OF_GP, TRIALS, WANTED

PAGE = DOCS / "samplers.md"
TEMPLATE = Path(__file__).parent / "page.md.template"


def page(record: dict[str, Any]) -> str:
    """Return the page.

    Args:
        record: measurements, as `benchmarks.search_quality.compare` records them.
    """
    live = record["live"]
    values = {
        "seeds": str(len(SEEDS)),
        "reference": f"{REFERENCE[0]:g}, {REFERENCE[1]:g} and {REFERENCE[2]:g}",
        "budget": str(BUDGET),
        **{f"trials.{name}": str(TRIALS[name]) for name in ("nsga2", "graybox", "gp")},
        "seeds_of_gp": str(len(SEEDS_OF_GP)),
        "population": " and ".join(f"{size} ({name})" for name, size in POPULATION.items()),
        "live.trials": str(live["trials"]),
        "live.difference": f"{live['max_difference']:g}",
        "live.score_s": f"{live['score_s']:.2f}",
    }
    for name in RECORDS:
        values |= {f"{name}.{key}": text for key, text in _numbers(record[name]).items()}
    return fill(TEMPLATE, values)


def _numbers(found: dict[str, Any]) -> dict[str, str]:
    """Return the numbers of one record's section."""
    return {
        "scores": f"{found['scores']:,}",
        "table": _table(found),
        "needed": f"{found['needed']:g}",
        "best": found["best"],
        "fewer": f"{BUDGET / found['needed']:.1f}",
        "fewer_spent": f"{found['spent'][found['best']] / found['needed']:.1f}",
        "ours": ", ".join(f"{found['ours'][str(spent)]:.4f} after {spent}" for spent in (WANTED, OURS, BUDGET)),
        "known": f"{found['known']:.4f}",
    }


def _table(found: dict[str, Any]) -> str:
    names = ["graybox", *found["reached"]]
    reached = found["reached"] | {"graybox": found["ours"][str(BUDGET)]}
    head = ["sampler", "hypervolume", "task scores", "trials", "ms per trial", "hypervolume on the report split"]
    return table(
        head,
        [
            [
                f"`{name}`",
                f"{reached[name]:.4f}",
                f"{found['spent'][name]:.0f}",
                f"{found['trials'][name]:.0f}",
                f"{found['trial_ms'][name]:.0f}",
                f"{found['report'][name]:.4f}",
            ]
            for name in names
        ],
    )
