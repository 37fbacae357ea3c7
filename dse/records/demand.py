"""A demand: the matrices of each owner that a compressor has to store, made by the core from a plan."""

from dataclasses import dataclass

import numpy as np

from dse.records.arrays import Bools, Floats, Ints
from dse.records.exits import Exits


@dataclass(frozen=True, slots=True)
class Demand:
    """Matrices that a plan asks a compressor to store, made by the core.

    Attributes:
        tasks: number of tasks, T.
        groups: number of owners between the base and the tasks, so O = 1 + groups + T.
        owner: (P, T, L) owner of each task's layer, from the plan.
        used: (P, O, L) whether any task uses this owner's own weights in this layer. For the base: whether a task runs
            the layer at all, with any owner's weights; a compressor that stores deltas needs the base there.
        direct: (P, L) whether a task uses the base's weights themselves.
        rows: (P, O, L, M) number of inputs kept, the union over the users of that owner's layer; (1, 1, 1, M) where nothing
            is removed. Broadcasts against ``used``.
        columns: (P, O, L, M) number of outputs kept, with the same union and shape.
        heads: (P, O, L, H) attention heads that any user of the owner's layer keeps, or None for all.
        ffn: (P, O, L, F) feed-forward columns that any user of the owner's layer keeps, or None for all.
        exits: early exits of the plan, or None where no input may leave early.
        computes: (P, T, L) number that identifies the function of a task's layer: two tasks that run the same weights and
            keep the same heads and columns of them have the same number; None: the owner is that number.
        measured: whether the base's and the tasks' weights are those that `Context` gives, so that measurements of `prepare`
            hold for them. False under a joint generator, the only kind that may have groups.
    """

    tasks: int
    groups: int
    owner: Ints
    used: Bools
    direct: Bools
    rows: Floats
    columns: Floats
    heads: Bools | None = None
    ffn: Bools | None = None
    exits: Exits | None = None
    computes: Ints | None = None
    measured: bool = True

    @property
    def points(self) -> int:
        """Number of designs, P."""
        return int(self.owner.shape[0])

    @property
    def owners(self) -> int:
        """Number of owners, O."""
        return 1 + self.groups + self.tasks

    @property
    def users(self) -> Bools:
        """Whether each task uses an owner's weights themselves in any layer, (P, O, T)."""
        uses = [(self.owner == owner).any(axis=-1) for owner in range(self.owners)]
        return np.stack(uses, axis=1)

    def task_owner(self, task: int) -> int:
        """Index of the owner that is the task itself."""
        return 1 + self.groups + task
