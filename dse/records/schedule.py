"""A schedule: the cyclic order in which tasks are served."""

from __future__ import annotations

from dataclasses import dataclass

from dse.records.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class Schedule:
    """The cyclic order in which tasks are served: n steps a cycle.

    Attributes:
        task: (P, n) task of each step; every task has at least one step.
        batch: (P, n) requests served at each step.
    """

    task: Ints
    batch: Floats
