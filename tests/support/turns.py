"""Turns on small chips, array by array in plain Python, beside the same turns as the core describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse.testing import tiny_workload
from dse.testing.workloads import tiny_components

Floats = NDArray[np.float64]
Block = tuple[int, int, int]
"""Owner, layer and number of an array."""


class Chip(NamedTuple):
    """A chip and its turn.

    Attributes:
        owner: owner of each task's layers; 0 is the base.
        beside: whether each owner's layers are deltas that run beside the base's.
        size: arrays of each owner's layers.
        visits: task of each visit of a turn.
        capacity: arrays of the chip.
        pinned: tasks whose arrays are never overwritten.
        shared: whether all tasks answer one input, so that what tasks share from the input on runs once.
    """

    owner: list[list[int]]
    beside: list[list[bool]]
    size: list[list[int]]
    visits: list[int]
    capacity: int
    pinned: set[int]
    shared: bool

    def blocks(self, task: int, layers: Sequence[int]) -> set[Block]:
        """Return the arrays that a task needs in some layers."""
        blocks: set[Block] = set()
        for layer in layers:
            own = self.owner[task][layer]
            for owner in {own, 0} if self.beside[own][layer] else {own}:
                blocks |= {(owner, layer, number) for number in range(self.size[owner][layer])}
        return blocks

    def run(self) -> list[set[Block]]:
        """Return the arrays that each visit runs."""
        layers = range(len(self.owner[0]))
        first = sorted(set(self.visits), key=self.visits.index)
        runs = {}
        for place, task in enumerate(first):
            before = first[:place] if self.shared else []
            spared = {
                depth
                for depth in layers
                for other in before
                if self.owner[other][: depth + 1] == self.owner[task][: depth + 1]
            }
            runs[task] = self.blocks(task, [layer for layer in layers if layer not in spared])
        return [runs[task] for task in self.visits]


def count_writes(chip: Chip) -> list[tuple[Fraction, Fraction]]:
    """Return the mean arrays that each visit writes in the steady state, and the share of turns in which it writes."""
    runs, visits = chip.run(), len(chip.visits)
    pinned = {block for task in chip.pinned for block in chip.blocks(task, range(len(chip.owner[0])))}
    every = set().union(*(chip.blocks(task, range(len(chip.owner[0]))) for task in range(len(chip.owner))))
    if len(every) <= chip.capacity:
        return [(Fraction(0), Fraction(0))] * visits

    def wait(block: Block, visit: int) -> int:
        return next(later for later in range(1, visits + 1) if block in runs[(visit + later) % visits])

    held, turns, begun = set(pinned), list[list[int]](), list[set[Block]]()
    while held not in begun:
        begun.append(set(held))
        turns.append([])
        for visit, needed in enumerate(runs):
            turns[-1].append(len(needed - held))
            held |= needed
            latest = sorted(held - needed - pinned, key=lambda block: (-wait(block, visit), block))
            held -= set(latest[: max(0, len(held) - chip.capacity)])
    period = turns[begun.index(held) :]
    return [
        (Fraction(sum(written), len(period)), Fraction(sum(count > 0 for count in written), len(period)))
        for written in zip(*period, strict=True)
    ]


def draw_chips(rng: np.random.Generator, designs: int) -> list[Chip]:
    """Draw chips with the same numbers of tasks, layers and visits, on which the largest task and all pins fit."""
    tasks, layers = int(rng.integers(2, 8)), int(rng.integers(1, 5))
    more, shared = int(rng.integers(0, 3)), bool(rng.random() < 0.4)
    return [_draw_chip(rng, tasks, layers, more, shared) for _ in range(designs)]


def _draw_chip(rng: np.random.Generator, tasks: int, layers: int, more: int, shared: bool) -> Chip:
    own = np.arange(1, tasks + 1)[:, None]
    groups = rng.integers(1, tasks + 1, tasks)[:, None]
    depth, trunk = rng.integers(0, layers + 1, (2, tasks, 1))
    owner = np.where(np.arange(layers) < trunk, groups, own)
    owner = np.where(np.arange(layers) < depth, 0, owner)
    beside = rng.random((tasks + 1, layers)) < 0.2
    beside[0] = False
    size = rng.integers(1, 7, (tasks + 1, layers)).tolist()
    again = rng.choice(tasks, more)
    visits = rng.permutation(np.concatenate([np.arange(tasks), again]))
    chip = Chip(owner.tolist(), beside.tolist(), size, visits.tolist(), 0, set(), shared)
    everywhere = range(layers)
    pins = {int(task) for task in rng.choice(tasks, rng.integers(0, 2))}
    pinned = set().union(*(chip.blocks(task, everywhere) for task in pins))
    least = max(len(pinned | chip.blocks(task, everywhere)) for task in range(tasks))
    most = len(set().union(*(chip.blocks(task, everywhere) for task in range(tasks))))
    return chip._replace(capacity=int(rng.integers(least, most + 1)), pinned=pins)


def charge_arrays(points: object, last: object, task: object, arrays: Floats) -> dict[str, Floats]:
    """Charge one of everything for each array, and one pulse for each switch that writes."""
    del points, last, task
    names = ("switch_energy_uj", "switch_latency_us", "switch_writes")
    return {**dict.fromkeys(names, arrays), "cell_writes": (arrays > 0).astype(float)}


def count_by_core(chips: Sequence[Chip]) -> Floats:
    """Return what the core counts of chips with the same numbers: writes and share of turns of each visit, (P, n, 2)."""
    charges = plugin.charge_switches(describe(chips), np.array([chip.visits for chip in chips]))
    return np.stack([charges["switch_writes"], charges["cell_writes"]], axis=-1)


def describe(chips: Sequence[Chip]) -> plugin.Components:
    """Return chips with the same numbers as a hardware model describes them to the core."""
    tasks, layers = np.shape(chips[0].owner)
    points = len(chips)
    needed = np.zeros((points, tasks, tasks + 1, layers), dtype=bool)
    for point, chip in enumerate(chips):
        for task in range(tasks):
            for owner, layer, _ in chip.blocks(task, range(layers)):
                needed[point, task, owner, layer] = True
    need = needed.reshape(points, tasks, -1)
    pinned = [need[point, sorted(chip.pinned)].any(axis=0) for point, chip in enumerate(chips)]
    owners = np.array([chip.owner for chip in chips])
    same = np.logical_and.accumulate(owners[:, :, None] == owners[:, None], axis=-1)

    held = plugin.Residency(
        need=need,
        arrays=np.array([chip.size for chip in chips], dtype=float).reshape(points, -1),
        pinned=np.array(pinned),
        capacity=np.array([chip.capacity for chip in chips], dtype=float),
        image_mb=np.ones(points),
        charge=charge_arrays,
        same=same if chips[0].shared else None,
    )
    needs, moving = need.astype(float), need * (held.arrays * ~held.pinned)[:, None]
    estimate = moving.sum(axis=2)[:, None] - needs @ moving.transpose(0, 2, 1)
    return replace(tiny_components(tiny_workload(tasks), points), residency=held, switch_energy_uj=estimate)


def count_mismatches(seed: int, designs: int) -> int:
    """Count the drawn chips of which the core and the arrays disagree."""
    chips = draw_chips(np.random.default_rng(seed), designs)
    expected = np.array([count_writes(chip) for chip in chips], dtype=float)
    return int((np.abs(count_by_core(chips) - expected) > 1e-9).any(axis=(1, 2)).sum())
