"""Residency and switches: what a chip that is smaller than its weights writes, against a chip that is simulated."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.charging.residency import needs, residency
from dse.cost.demand import demand
from tests.support.workloads import workload


def oracle(need: np.ndarray, size: np.ndarray, pinned: set[tuple[int, int]], order: tuple[int, ...]) -> int:
    """Arrays written in one cycle, by keeping the swap region's contents as a set and writing what is not there."""
    segments = [{tuple(map(int, at)) for at in np.argwhere(need[task])} - pinned for task in range(len(need))]
    held = segments[order[-1]]
    written = 0
    for task in order:
        written += sum(int(size[at]) for at in segments[task] - held)
        held = segments[task]
    return written


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.floats(0.2, 1.2))
@settings(max_examples=120, deadline=None, derandomize=True)
def test_every_order_writes_what_a_simulated_chip_writes(seed: int, tasks: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    load = workload(tasks, layers=3)
    own = np.arange(1, tasks + 1)[:, None]
    owner = np.where(np.arange(3) < rng.integers(0, 4, size=(tasks, 1)), dse.BASE, own)[None]
    wanted = demand(load, dse.Plan(owner), generator="test")
    on_base = rng.random((1, 1 + tasks, 3)) < 0.3
    on_base[:, dse.BASE] = False
    size = rng.integers(1, 20, size=(1, 1 + tasks, 3)).astype(float)
    need = needs(wanted, on_base)
    size *= need.any(axis=1)
    room = np.floor(size.sum() * share)
    held = residency(need, size, np.array([room]))
    largest = (need * size[:, None]).sum(axis=(2, 3)).max()

    assert held.resident[0] == (size.sum() <= room)
    assert held.missing[0] == (0 if held.resident[0] else largest - room)
    if held.missing[0] > 0:
        return
    for order in itertools.permutations(range(tasks)):
        cycle = sum(held.written[0, last, task] for last, task in zip((order[-1], *order), order, strict=False))
        pinned = pinned_segments(need[0], size[0], room)
        assert cycle == oracle(need[0], size[0], pinned, order) * (not held.resident[0])


def pinned_segments(need: np.ndarray, size: np.ndarray, room: float) -> set[tuple[int, int]]:
    """The pinning rule once more, in plain Python: most users first while the largest remaining need still fits."""
    users = {(o, layer): int(need[:, o, layer].sum()) for o in range(size.shape[0]) for layer in range(size.shape[1])}
    pinned: set[tuple[int, int]] = set()
    for segment in sorted(users, key=lambda at: (-users[at], at)):
        if not users[segment]:
            continue
        trial = pinned | {segment}
        swap = max(sum(size[tuple(at)] for at in np.argwhere(one) if tuple(at) not in trial) for one in need)
        if sum(size[at] for at in trial) + swap <= room:
            pinned = trial
    return pinned
