"""Serving: what a chip that is smaller than its weights writes, against chips that are replayed array by array."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, choose_size, measures
from tests.support.turns import count_mismatches

CASES, TOGETHER = 10_000, 10


@measures("serving.oracle_mismatches")
def count() -> Iterator[Figure]:
    """Count drawn chips on which the number of arrays that a visit writes is not that of a replay array by array."""
    batches = choose_size(CASES, 20) // TOGETHER
    wrong = sum(count_mismatches(seed, TOGETHER) for seed in range(batches))
    compared = f"{batches * TOGETHER:,} drawn chips, turns, needs, pins and shared owners of 2 to 7 tasks"
    yield Figure("serving.oracle_mismatches", wrong, "designs", "<= 0", compared)
