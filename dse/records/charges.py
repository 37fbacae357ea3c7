"""Charges: what a hardware model asks for area, energy and latency, by component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dse.records.arrays import Floats


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
