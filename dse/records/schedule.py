"""A schedule: the cyclic order in which tasks are served."""

from dataclasses import dataclass

from dse.records.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class Schedule:
    """The cyclic order in which tasks are served: n visits per turn.

    Attributes:
        task: (P, n) task of each visit; every task has at least one visit.
        batch: (P, n) requests served at each visit.
    """

    task: Ints
    batch: Floats
