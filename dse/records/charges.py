"""Charges: the area, energy and latency that a hardware model asks for, by component."""

from collections.abc import Mapping
from dataclasses import dataclass

from dse.records.arrays import Floats
from dse.records.occupancy import Occupancy, Power
from dse.records.residency import Residency


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit of the hardware that some designs break.

    Attributes:
        name: short name of the limit.
        amount: (P,) excess over the limit, <= 0 where a design keeps the limit.
        reason: one sentence, for the row's ``reason``.
    """

    name: str
    amount: Floats
    reason: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """Cost of a design's components under another assumption, as factors of their charges.

    Attributes:
        name: name of the assumption, as a table shows it.
        area: (P,) factor of the area by component; a component that is not named keeps its area.
        energy: (P,) factor of the energy by component; a component that is not named keeps its energy.
    """

    name: str
    area: Mapping[str, Floats]
    energy: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Components:
    """Charges of a hardware model, which the core sums.

    Attributes:
        names: C component names, one list for area and energy.
        area_mm2: (P, O, C) area by owner.
        array_area_mm2: (P,) area that holds linear weights, with periphery, not rounded to whole tiles; a part of ``area_mm2``.
        energy_uj: (P, T, L, C) energy of one pass of each task's layer, with the base's terms that run beside its own.
        latency_us: (P, T, L) time of one pass of each task's layer.
        input_energy_uj: (P, T, C) energy of an input before its first layer: embeddings. Tasks that share inputs pay it once.
        input_latency_us: (P, T) time of an input before its first layer.
        request_energy_uj: (P, T, C) energy of an answer after the last layer: pooler, classifier.
        request_latency_us: (P, T) time of an answer after the last layer.
        switch_energy_uj: (P, T, T) energy of the switch from the last task (axis 1) to the next (axis 2). Beside a
            ``residency``, this and the next three are estimates, from which a scheduler may choose an order.
        switch_latency_us: (P, T, T) time of each switch.
        switch_writes: (P, T, T) cells that each switch writes.
        cell_writes: (P, T, T) write pulses that each switch gives to the most-written cell.
        endurance: (P,) write pulses that a cell survives.
        write_pulses: (P,) pulses that one write of a cell takes; needed where a footprint reprograms blocks of the base.
        offchip_mb: (P,) megabytes of embeddings and reprogramming images; the core adds the images of a ``residency``.
        violations: limits that some designs break.
        occupancy: what a pass keeps busy; None: throughput and load stay empty, and tasks answer one after another.
        power: peak power and gating; None: static power and its break-even stay empty.
        residency: what visits need of the chip, so that the core charges each visit what it writes; None: the charges of a
            switch follow from its two tasks.
        tiles: (P,) number of tiles of the chip; None: the model has no tiles.
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
    occupancy: Occupancy | None = None
    power: Power | None = None
    residency: Residency | None = None
    tiles: Floats | None = None
