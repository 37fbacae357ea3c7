"""Weights of the tasks that were used last stay in memory."""

from __future__ import annotations

from itertools import cycle, islice

import pytest
import torch

from dse.models.weight_cache import TASKS, WeightCache

MB = 1e-3


class Reader:
    """Cache whose tasks have two matrices of 0.5 MB each, and the names of the tasks that were read."""

    def __init__(self, limit_gb: float | None) -> None:
        self.cache = WeightCache(limit_gb)
        self.names: list[str] = []

    def __call__(self, task: str, part: str = "matrices") -> dict[int, torch.Tensor]:
        def read() -> dict[int, torch.Tensor]:
            self.names.append(task)
            return {0: torch.zeros(500, 250), 1: torch.zeros(500, 250)}

        return self.cache.find_or_read(task, part, read, dict.values)


@pytest.mark.parametrize(
    ("limit_gb", "expected"),
    [(3 * MB, "abc"), (2 * MB, "abcb"), (0.5 * MB, "abacab"), (None, "abc")],
    ids=["all stay", "the oldest goes", "the last stays, however large", "few tasks all stay"],
)
def test_the_tasks_that_were_used_last_stay(limit_gb: float | None, expected: str) -> None:
    reader = Reader(limit_gb)
    for task in "abacaab":
        assert sum(value.nbytes for value in reader(task).values()) == 1_000_000
    assert "".join(reader.names) == expected


def test_by_default_a_fixed_number_of_tasks_stay_whatever_their_size() -> None:
    for tasks, reads in ((TASKS, TASKS), (TASKS + 1, 3 * (TASKS + 1))):
        reader = Reader(None)
        for task in islice(cycle(map(str, range(tasks))), 3 * tasks):
            reader(task)
            reader(task, "model")
        assert len(reader.names) == 2 * reads


def test_memory_that_two_parts_share_counts_once() -> None:
    reader = Reader(1 * MB)
    shared = reader("a")
    for task in "bcd":
        reader.cache.find_or_read(task, "model", lambda: shared, dict.values)
    assert reader("a") is shared


def test_dropped_and_cleared_parts_are_read_again() -> None:
    reader = Reader(1.0)
    first, model = reader("a"), reader("a", "model")
    reader.cache.drop("a", "matrices")
    assert reader("a") is not first
    assert reader("a", "model") is model
    reader.cache.clear()
    assert reader("a", "model") is not model
    assert reader.names == ["a"] * 4
