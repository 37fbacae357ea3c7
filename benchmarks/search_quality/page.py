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
    "eight": "Eight tasks, the compressor of Kang et al. with a choice of the first layer with a delta",
}
INTRODUCTION = f"""# Samplers

`graybox`, the default sampler, needs a fraction of the task scores that other samplers need. Area, energy and latency are exact and
take microseconds; a score takes seconds per task. `graybox` uses this fact, and the samplers of Optuna do not. This page compares
them.

The samplers search real scores. `python -m benchmarks.search_quality.record` recorded a score for every setting of every task on
both splits, so that many studies take minutes.

- A score that a study has already requested costs nothing, and no sampler evaluates a design twice.
- The numbers are medians of {len(SEEDS)} seeds. Nothing was tuned on these seeds.
- The hypervolume covers area of arrays, energy and percentage points lost, from the reference point {REFERENCE[0]:g}, {REFERENCE[1]:g} and {REFERENCE[2]:g}.
- A study ends after {BUDGET} task scores, or after a number of trials: {TRIALS["nsga2"]} with `nsga2`, `nsga3` and `random`, {TRIALS["graybox"]} with `graybox` and
  `tpe`, and {TRIALS["gp"]} with `gp` ({len(SEEDS_OF_GP)} seeds). A trial of `gp` takes seconds, and longer with each trial.
- The population size of `nsga2` and `nsga3` is the best of 8, 12, 16, 24 and 50 for `nsga2` on other seeds: {" and ".join(f"{size} ({name})" for name, size in POPULATION.items())}.
- The last column scores each study's front on the report split, by which nothing was chosen.

`make bench ONLY=search FULL=1` writes this page; `make bench ONLY=search` prints the recorded figures.
"""
HOW = """## What `graybox` does

1. It makes a pool of designs in four ways: drawn at random, neighbours of the front, crossings of measured designs, and
   combinations of the best setting of each task under many weights of the objectives. It costs all of them exactly and together,
   and removes designs that break a limit on cost.
2. It predicts each task's missing scores with one Gaussian process over all tasks (of scikit-learn). The process learns from every
   score of the study, and from a profile if there is one. The covariance between tasks is a share of the covariance within one
   task. Losses enter as logarithms. Each task's standard deviation is scaled by the distance between its own scores and their
   prediction from all other scores.
3. It computes the expected gain of hypervolume. Area and energy are known, so the gain has a closed form in the one uncertain
   objective. It multiplies the gain by the probability that the design keeps the limits on scores, and divides it by the number
   of scores to measure. With three known objectives, trials consider two of them in turn.
4. After 150 trials, every second trial gives uncertainty three times the weight. This finds the few scores that no model
   predicts, and these scores decide the last hundredth.

In a `batch`, each chosen design counts as measured, with its predicted scores, for the next choice.
"""


def page(record: dict[str, Any]) -> str:
    """Write the page.

    Args:
        record: the content of the file that `benchmarks.search_quality.compare` writes.
    """
    parts = [INTRODUCTION, *(_section(name, record[name]) for name in RECORDS if name in record)]
    if "live" in record:
        parts.append(
            f"## Recorded and measured\n\nThe first {record['live']['trials']} trials of one study of `graybox` ran once on the record and once with measured scores. "
            f"Both runs\nproposed the same designs, and their task scores differ by at most {record['live']['max_difference']:g}. "
            f"A score took {record['live']['score_s']:.2f} s.\n"
        )
    parts.append(HOW)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _section(name: str, found: dict[str, Any]) -> str:
    ours = ", ".join(f"{found['ours'][str(spent)]:.4f} after {spent}" for spent in (WANTED, OURS, BUDGET))
    return (
        f"## {SPACES[name]}\n\nThere are {found['scores']:,} task scores in all.\n\n{_table(found)}\n"
        f"`graybox` needs {found['needed']:g} task scores to reach the final hypervolume of `{found['best']}`. That is {BUDGET / found['needed']:.1f} times fewer than {BUDGET},\n"
        f"and {found['spent'][found['best']] / found['needed']:.1f} times fewer than `{found['best']}` spent. Its hypervolume is {ours} task scores. The best known front has {found['known']:.4f}.\n"
    )


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
