"""A plan: the owner of each task's layers, from a generator."""

from dataclasses import dataclass

from dse.records.arrays import Bools, Ints
from dse.records.exits import Exits

BASE = 0
"""Index of the base among owners."""
DROPPED = -1
"""Owner of a layer that a task skips."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Owner of each task's layers, and the heads and columns that it keeps, from a generator.

    Attributes:
        owner: (P, T, L) owner of each task's layer, `DROPPED` where the task skips it.
        groups: number of owners between the base and the tasks, the same in every design; a group that no task uses costs
            nothing. Only a joint generator may have groups.
        heads: (P, T, L, H) attention heads kept, or None for all.
        ffn: (P, T, L, F) feed-forward columns kept, or None for all.
        exits: early exits, or None where no input may leave early.
    """

    owner: Ints
    groups: int = 0
    heads: Bools | None = None
    ffn: Bools | None = None
    exits: Exits | None = None
