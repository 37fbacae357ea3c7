"""The page on samplers, written from the record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.pages import table
from benchmarks.search_quality.compare import BUDGET, OURS, POPULATION, RECORDS, SEEDS, SEEDS_OF_GP, TRIALS, WANTED
from benchmarks.search_quality.course import REFERENCE

PAGE = Path(__file__).parent.parent.parent / "docs" / "samplers.md"
SPACES = {
    "quickstart": "The quickstart's space: four tasks, two generators, two compressors",
    "eight": "Eight tasks, the compressor of Kang et al. with where differences begin",
}
INTRODUCTION = f"""# Samplers

Area, energy and latency are exact and cost microseconds; a score costs seconds for each task. `graybox` knows that, the
samplers of Optuna do not. Here they search real scores, recorded for every setting of every task on both splits by
`python -m benchmarks.search_quality.record`, so that many studies take minutes. Scores that a study has asked for before cost
it nothing, and no sampler evaluates a design twice. Numbers are medians of {len(SEEDS)} seeds that nothing was tuned on; hypervolume is that
of area of arrays, energy and points lost, by {REFERENCE[0]:g}, {REFERENCE[1]:g} and {REFERENCE[2]:g}. A study ends after {BUDGET} task scores, or after {TRIALS["nsga2"]} trials of
`nsga2`, `nsga3` and `random`, {TRIALS["graybox"]} of `graybox` and `tpe`, and {TRIALS["gp"]} of `gp` ({len(SEEDS_OF_GP)} seeds), whose
trials take seconds, and longer the more there are. Populations are those of 8, 12, 16, 24 and 50 with which `nsga2` does best on other seeds: {" and ".join(f"{size} ({name})" for name, size in POPULATION.items())}. The last column scores each
study's front on the report split, on which nothing was chosen. This page is written by `make bench ONLY=search FULL=1`;
`make bench ONLY=search` prints the recorded figures.
"""
HOW = """## What `graybox` does

1. A pool of designs: drawn, next to those of the front, crossed with what was measured, and put together from what is best
   for each task alone, which many weights of the objectives tell. All are costed exactly, at once; those that break a limit
   on cost leave.
2. A Gaussian process over all tasks (scikit-learn's; covariance between tasks is a share of that within one) says what each
   task will score that was not measured, from every score of the study, and from a profile where there is one. Losses are
   taken as logarithms, and each task's standard deviation is widened, or narrowed, by how far its own scores lie from what
   all others tell of them.
3. Area and energy are known, so that the expected gain of hypervolume has a closed form in the one uncertain objective. It is
   multiplied with the chance that limits on scores are kept, and divided by the scores to be paid for. Of three objectives
   that are known, trials look at two in turn.
4. After 150 trials every other one counts what is uncertain three times as much: the few scores that no model foresees are
   found that way, and they decide the last hundredth.

Of a `batch`, each design counts as measured, with what is expected of it, when the next one is chosen.
"""


def page(record: dict[str, Any]) -> str:
    """Write the page.

    Args:
        record: as `benchmarks.search_quality.compare` keeps it.
    """
    parts = [INTRODUCTION, *(_section(name, record[name]) for name in RECORDS if name in record)]
    if "live" in record:
        parts.append(
            f"## Recorded and live\n\nThe first {record['live']['trials']} trials of one study of `graybox`, run once on the record and once with scores "
            f"measured, proposed\nthe same designs; their task scores differ by at most {record['live']['max_difference']:g}. "
            f"A score took {record['live']['score_s']:.2f} s.\n"
        )
    parts.append(HOW)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _section(name: str, found: dict[str, Any]) -> str:
    ours = ", ".join(f"{found['ours'][str(spent)]:.4f} after {spent}" for spent in (WANTED, OURS, BUDGET))
    return (
        f"## {SPACES[name]}\n\nThere are {found['scores']:,} task scores in all.\n\n{_table(found)}\n"
        f"`graybox` needs {found['needed']:g} task scores for what `{found['best']}` covers in the end: {BUDGET / found['needed']:.1f} times fewer than {BUDGET},\n"
        f"and {found['spent'][found['best']] / found['needed']:.1f} times fewer than `{found['best']}` spent. It covers {ours}; the best known front {found['known']:.4f}.\n"
    )


def _table(found: dict[str, Any]) -> str:
    names = ["graybox", *found["reached"]]
    reached = found["reached"] | {"graybox": found["ours"][str(BUDGET)]}
    head = ["sampler", "hypervolume", "task scores", "trials", "ms a trial", "hypervolume on the report split"]
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
