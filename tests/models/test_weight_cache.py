"""Matrices of tasks stay in memory up to a size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from dse.models.weight_cache import WeightCache, Weights

MB = 1e-3


@pytest.fixture
def read() -> tuple[list[str], Callable[[str], Callable[[], Weights]]]:
    """List of the tasks that were read, and a maker of functions that read 1 MB."""
    names: list[str] = []

    def of_task(name: str) -> Callable[[], Weights]:
        def matrices() -> Weights:
            names.append(name)
            return {(0, 0): torch.zeros(500, 250), (0, 1): torch.zeros(500, 250)}

        return matrices

    return names, of_task


@pytest.mark.parametrize(
    ("limit_gb", "expected"),
    [(3 * MB, "abc"), (2 * MB, "abcb"), (0.5 * MB, "abacab")],
    ids=["all stay", "the oldest goes", "the last stays, however large"],
)
def test_the_tasks_that_were_used_last_stay(
    read: tuple[list[str], Callable[[str], Callable[[], Weights]]], limit_gb: float, expected: str
) -> None:
    names, of_task = read
    cache = WeightCache(limit_gb)
    for name in "abacaab":
        assert sum(value.nbytes for value in cache.find_or_read(name, of_task(name)).values()) == 1_000_000
    assert "".join(names) == expected


def test_cleared_matrices_are_read_again(read: tuple[list[str], Callable[[str], Callable[[], Weights]]]) -> None:
    names, of_task = read
    cache = WeightCache(1.0)
    first = cache.find_or_read("a", of_task("a"))
    assert cache.find_or_read("a", of_task("a")) is first
    cache.clear()
    assert cache.find_or_read("a", of_task("a")) is not first
    assert names == ["a", "a"]
