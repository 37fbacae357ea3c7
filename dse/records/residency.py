"""Residency: what a chip that is smaller than its weights holds from visit to visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dse.records.arrays import Bools, Floats, Ints


class ChargeSwitches(Protocol):
    """A function that charges switches, whatever their number; all arguments broadcast against each other."""

    def __call__(self, points: Ints, last: Ints, task: Ints, arrays: Floats) -> dict[str, Floats]:
        """Return ``switch_energy_uj``, ``switch_latency_us``, ``switch_writes`` and ``cell_writes`` of each switch.

        Args:
            points: index of the design.
            last: task of the last visit.
            task: task of the next visit.
            arrays: number of arrays that the switch writes because the chip is too small to hold them all.
        """


@dataclass(frozen=True, slots=True)
class Residency:
    """What visits need of a chip that may be smaller than its weights.

    A segment is one owner's layer. The S = O x L segments stand owner by owner.

    Attributes:
        need: (P, T, S) whether each task needs a segment.
        arrays: (P, S) number of arrays of each segment.
        pinned: (P, S) whether a segment is never overwritten.
        capacity: (P,) number of arrays of the chip; infinite if the chip is made as large as the weights.
        image_mb: (P,) megabytes of the image of one array, off-chip.
        charge: charges of switches.
        same: (P, T, T, L) whether two tasks compute the same up to a layer, so that only the first of them runs it; None:
            each visit runs all layers of its task.
    """

    need: Bools
    arrays: Floats
    pinned: Bools
    capacity: Floats
    image_mb: Floats
    charge: ChargeSwitches
    same: Bools | None = None
