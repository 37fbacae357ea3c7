"""Arrays that flow through the cheap half of the pipeline, one leading axis P for the design points of a batch.

Axes: P points of one plugin combination, T tasks, L layers, M matrices of a layer, O owners (0 the base, then groups,
then tasks), C components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dse.records.exits import Exits

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

Encoding: TypeAlias = Literal["separate", "offset", "offset-flip"]
ENCODINGS: tuple[Encoding, ...] = ("separate", "offset", "offset-flip")
Packing: TypeAlias = Literal["none", "same-input"]


BASE = 0
"""Index of the base among owners."""

DROPPED = -1
"""Owner of a layer that a task skips."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What hardware fixes before any weight is placed, each ``(P,)``.

    Attributes:
        rows: wordlines of an array.
        columns: bitlines of an array.
        cell_bits: bits a cell holds.
        adc_bits: resolution of a conversion.
        dac_bits: bits of an input applied in one cycle.
        input_bits: bits of an activation.
        encoding: index into `ENCODINGS`: separate positive and negative arrays, or one array with an offset (with or
            without flipping columns, which saves one ADC bit).
        packing: whether columns of matrices that share an input vector, owner and layer share arrays.
    """

    rows: Ints
    columns: Ints
    cell_bits: Ints
    adc_bits: Ints
    dac_bits: Ints
    input_bits: Ints
    encoding: Ints
    packing: Packing = "same-input"

    @property
    def separate(self) -> Bools:
        """Whether positive and negative parts have arrays of their own, (P,)."""
        return np.asarray(self.encoding == ENCODINGS.index("separate"))

    @property
    def flip(self) -> Bools:
        """Whether columns are flip-encoded, with one extra column an array, (P,)."""
        return np.asarray(self.encoding == ENCODINGS.index("offset-flip"))


@dataclass(frozen=True, slots=True)
class Plan:
    """Whose weights each task uses, from a generator.

    Attributes:
        owner: (P, T, L) owner of each task's layer, `DROPPED` where the task skips it.
        groups: owners between the base and the tasks, the same at every point; one that no task uses costs nothing. Only a
            joint generator may have any.
        heads: (P, T, L, H) attention heads kept, or None for all.
        ffn: (P, T, L, F) feed-forward columns kept, or None for all.
        exits: where inputs may leave early, or None where none may.
    """

    owner: Ints
    groups: int = 0
    heads: Bools | None = None
    ffn: Bools | None = None
    exits: Exits | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What a plan asks of a compressor, made by the core.

    Attributes:
        tasks: T.
        groups: owners between the base and the tasks, so O = 1 + groups + T.
        owner: (P, T, L) the plan's owners.
        used: (P, O, L) whether any task uses this owner's own weights in this layer. For the base: whether a task uses
            the layer at all, its own weights or another owner's; a compressor that stores deltas needs the base there.
        direct: (P, L) whether a task uses the base's weights themselves.
        rows: (P, O, L, M) inputs kept, the union over the users of that owner's layer; (1, 1, 1, M) where nothing is
            removed. Broadcasts against ``used``.
        columns: (P, O, L, M) outputs kept, likewise.
        heads: (P, O, L, H) attention heads that any user of the owner's layer keeps, or None for all.
        ffn: (P, O, L, F) feed-forward columns, likewise.
        exits: where inputs may leave early, or None where none may.
        computes: (P, T, L) a number for what a task's layer makes of its inputs: the same for two tasks that run the same
            weights and keep the same heads and columns of them; None: the owner is such a number.
        measured: whether the base's and the tasks' weights are those that `Context` gives, so that what `prepare` measured
            on them holds. Not under a joint generator, the only kind that may have groups.
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
        """P."""
        return int(self.owner.shape[0])

    @property
    def owners(self) -> int:
        """O."""
        return 1 + self.groups + self.tasks

    @property
    def users(self) -> Bools:
        """Whether each task uses an owner's weights themselves in any layer, (P, O, T)."""
        found = [(self.owner == owner).any(axis=-1) for owner in range(self.owners)]
        return np.stack(found, axis=1)

    def task_owner(self, task: int) -> int:
        """Index of the owner that is the task itself."""
        return 1 + self.groups + task


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit of the hardware that some points break.

    Attributes:
        name: short name of the limit.
        amount: (P,) how far it is exceeded, <= 0 where it is kept.
        reason: one sentence, for the row's ``reason``.
    """

    name: str
    amount: Floats
    reason: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a design's components would cost under another assumption, as factors of what they are charged.

    Attributes:
        name: of the assumption, as a table shows it.
        area: (P,) by component; one that is not named stays as it is.
        energy: (P,) likewise.
    """

    name: str
    area: Mapping[str, Floats]
    energy: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Components:
    """What a hardware model charges. The core sums it.

    Attributes:
        names: C component names, one list for area and energy.
        area_mm2: (P, O, C) area by owner.
        array_area_mm2: (P,) the part of it that holds linear weights, with periphery, not rounded to whole tiles.
        energy_uj: (P, T, L, C) one pass of each task's layer, its own terms and the base's beneath them.
        latency_us: (P, T, L) one pass of each task's layer.
        input_energy_uj: (P, T, C) what an input costs before its first layer: embeddings. Paid once where tasks share inputs.
        input_latency_us: (P, T) likewise.
        request_energy_uj: (P, T, C) what an answer costs beyond the layers: pooler, classifier.
        request_latency_us: (P, T) likewise.
        switch_energy_uj: (P, T, T) from the last task (axis 1) to the next (axis 2).
        switch_latency_us: (P, T, T) likewise.
        switch_writes: (P, T, T) cells written, likewise.
        cell_writes: (P, T, T) write pulses the most-written cell takes, likewise.
        endurance: (P,) write pulses a cell survives.
        write_pulses: (P,) pulses a cell takes each time it is written; of use where a footprint reprograms blocks of the base.
        offchip_mb: (P,) megabytes of embeddings and reprogramming images.
        violations: limits some points break.
    """

    names: tuple[str, ...]
    area_mm2: Floats
    array_area_mm2: Floats
    energy_uj: Floats
    latency_us: Floats
    input_energy_uj: Floats
    input_latency_us: Floats
    request_energy_uj: Floats
    request_latency_us: Floats
    switch_energy_uj: Floats
    switch_latency_us: Floats
    switch_writes: Floats
    cell_writes: Floats
    endurance: Floats
    offchip_mb: Floats
    violations: tuple[Violation, ...] = ()
    write_pulses: Floats | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The cyclic order in which tasks are served: n steps a cycle.

    Attributes:
        task: (P, n) task of each step; every task has at least one step.
        batch: (P, n) requests served at each step.
    """

    task: Ints
    batch: Floats
