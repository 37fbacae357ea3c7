"""Speed of the cheap half: footprint, counting, residency, schedule and sums, on one core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks.figures import Figure, best_of, choose_size, measures
from benchmarks.problems import costed_problem, drawn_points, eight_on_bert_base, four_on_minilm

POINTS = 4096


@contextmanager
def one_core() -> Iterator[None]:
    """Keep the block on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@measures("hardware.points_per_s.quickstart", "hardware.points_per_s.bert_base_8", "hardware.single_point_ms")
def speed() -> Iterator[Figure]:
    """Points a second in batch, and milliseconds of one point alone."""
    compared = "none: absolute, generator shared-prefix, compressor two-stage, scheduler searched, hardware isaac"
    for name, workload, target in (
        ("quickstart", four_on_minilm(), 10_000),
        ("bert_base_8", eight_on_bert_base(), 2_000),
    ):
        problem, space = costed_problem(workload)
        points = drawn_points(space, choose_size(POINTS, 8))
        problem.cost(points[:8])
        with one_core():
            seconds = best_of(partial(problem.cost, points), repeats=3)
        yield Figure(f"hardware.points_per_s.{name}", len(points) / seconds, "points/s", f">= {target}", compared)
        if name == "bert_base_8":
            with one_core():
                single = best_of(partial(problem.cost, points[:1]), repeats=50)
            yield Figure("hardware.single_point_ms", 1e3 * single, "ms", "<= 2", "one point of BERT-base, eight tasks")
