"""Number of task scores that samplers need, on recorded scores: medians over seeds that nothing was tuned on.

`FULL=1` runs every study and writes the record, from which figures and the page come otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.figures import RECORDED, SETTINGS, Figure, measures
from benchmarks.pages import read_record, write_record
from benchmarks.search_quality.course import Course, course
from benchmarks.search_quality.live import live
from benchmarks.search_quality.page import PAGE, page
from benchmarks.search_quality.record import FOLDER
from benchmarks.search_quality.recorded import Recorded
from benchmarks.search_quality.settings import (
    BUDGET,
    OURS,
    POPULATION,
    RECORDS,
    SEEDS,
    SEEDS_OF_GP,
    STOCK,
    TRIALS,
    WANTED,
)

RECORD = FOLDER / "record.json"


@measures(
    *(f"search.evals_ratio.{name}" for name in RECORDS),
    "search.hv_at_400",
    "search.sampler_ms",
    "search.own_time_share",
    "search.live_max_difference",
)
def search() -> Iterator[Figure]:
    """Compare `graybox` with stock samplers on every record there is."""
    if SETTINGS.full:
        measure()
    record = read_record(RECORD)
    for name in (name for name in RECORDS if name in record):
        found = record[name]
        text = (
            f"recorded scores, median of {len(SEEDS)} seeds: graybox needs {found['needed']:g} task scores for the "
            f"hypervolume of {found['best']} after {BUDGET} ({found['reached'][found['best']]:.4f}); {RECORDED}"
        )
        yield Figure(f"search.evals_ratio.{name}", BUDGET / found["needed"], "ratio", ">= 5", text)
    found = [record[name] for name in RECORDS if name in record]
    share = min(one["ours"][str(OURS)] / one["known"] for one in found)
    text = f"hypervolume after {OURS} task scores by the best known, median over seeds, the lesser of the records; {RECORDED}"
    yield Figure("search.hv_at_400", share, "ratio", ">= 0.99", text)
    text = f"a trial of graybox, all included; {RECORDED}"
    yield Figure("search.sampler_ms", max(one["trial_ms"]["graybox"] for one in found), "ms/trial", "<= 300", text)
    if "live" in record:
        measured = record["live"]
        share = max(
            one["needed_trials"] * one["trial_ms"]["graybox"] / 1e3 / ((BUDGET - one["needed"]) * measured["score_s"])
            for one in found
        )
        text = f"graybox's own time until then by the evaluation time it saves, {measured['score_s']:.2f} s per score; {RECORDED}"
        yield Figure("search.own_time_share", share, "ratio", "<= 0.2", text)
        text = f"task scores of {measured['trials']} live trials of graybox by those of the same trials on the record; {RECORDED}"
        yield Figure("search.live_max_difference", measured["max_difference"], "score", "<= 0", text)


def measure() -> None:
    """Run every study of every record, and one live; write the record after each part, and the page at the end."""
    record: dict[str, Any] = {}
    for name in (name for name in RECORDS if (FOLDER / f"{name}.parquet").exists()):
        record[name] = compared(name)
        write_record(RECORD, record)
    record["live"] = live(RECORDS[0], SEEDS[0])
    write_record(RECORD, record)
    PAGE.write_text(page(record), encoding="utf-8")


def compared(name: str) -> dict[str, Any]:
    """Medians over seeds of every sampler on one record."""
    samplers = ("graybox", *STOCK)
    jobs = [
        (name, sampler, seed, BUDGET, TRIALS[sampler], _options(name, sampler))
        for sampler in samplers
        for seed in (SEEDS_OF_GP if sampler == "gp" else SEEDS)
    ]
    courses: dict[str, list[Course]] = {sampler: [] for sampler in samplers}
    with ProcessPoolExecutor(2) as pool:
        for job, found in zip(jobs, pool.map(course, *zip(*jobs, strict=True)), strict=True):
            courses[job[1]].append(found)
    return summary(courses) | {"scores": Recorded(name, BUDGET).scores}


def summary(courses: dict[str, list[Course]]) -> dict[str, Any]:
    """Summarise all studies on one record, for the figures and the page."""
    ours, stock = courses["graybox"], {name: found for name, found in courses.items() if name != "graybox"}
    reached = {name: _median([one.at(BUDGET) for one in found]) for name, found in stock.items()}
    best = max(reached, key=lambda name: reached[name])
    return {
        "best": best,
        "reached": reached,
        "needed": _median([one.needed(reached[best])[0] for one in ours]),
        "needed_trials": _median([one.needed(reached[best])[1] for one in ours]),
        "ours": {str(spent): _median([one.at(spent) for one in ours]) for spent in (WANTED, OURS, BUDGET)},
        "known": max(max(one.covered) for found in courses.values() for one in found),
        "report": {name: _median([one.report for one in found]) for name, found in courses.items()},
        "spent": {name: _median([one.spent[-1] for one in found]) for name, found in courses.items()},
        "trials": {name: _median([len(one.spent) for one in found]) for name, found in courses.items()},
        "trial_ms": {name: _median([one.trial_ms for one in found]) for name, found in courses.items()},
    }


def _options(name: str, sampler: str) -> dict[str, Any]:
    return {"population_size": POPULATION[name]} if sampler.startswith("nsga") else {}


def _median(values: list[float] | list[int]) -> float:
    return float(np.median(values))
