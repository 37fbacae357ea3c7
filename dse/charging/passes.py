"""Passes: energy and time of the events of one input in each task's layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dse.charging.designs import Designs, widen
from dse.charging.digital import count_layers, energy_uj, time_us
from dse.records.arrays import Floats
from dse.records.stored import VECTOR_BITS

SHIFTS = 2
"""Number of shifts and additions of one factor, which is a sum of 2 powers of two and needs no multiplier."""


class Passes(NamedTuple):
    """One pass of each task's layer, with the base's arrays that run beside its own.

    Attributes:
        energy_uj: energy by component, (P, T, L, C).
        on_us: time from the first to the last vector, (P, T, L).
        busy_us: time for which arrays and routers take no other input, (P, T, L).
        digital_us: time of one digital unit, (P, T, L).
        tiles: number of tiles at work, (P, T, L).
    """

    energy_uj: Floats
    on_us: Floats
    busy_us: Floats
    digital_us: Floats
    tiles: Floats


def charge_passes(designs: Designs) -> Passes:
    """Charge every event of a pass."""
    tile, geometry, runs = designs.tile, designs.geometry, designs.runs
    tokens, index = designs.tokens[None, :, None], designs.index
    tiles, cycle_us = designs.per_pass("arrays") / widen(tile.arrays), widen(tile.cycle_us)
    cycles = np.ceil(widen(geometry.input_bits) / widen(geometry.dac_bits))
    inputs, outputs, scaled, shifted = map(designs.per_pass, ("inputs", "outputs", "scalings", "shifts"))
    # An input goes once to every tile that holds a part of it.
    sent = np.maximum(inputs, designs.per_pass("drives") / widen(tile.arrays)) + outputs
    sent = sent * widen(geometry.input_bits) / 8
    partials = designs.per_pass("partials") + np.where(widen(geometry.separate), 0.0, inputs)
    events = {
        "read": cycles * designs.per_pass("arrays"),
        "drive": cycles * designs.per_pass("drives"),
        "conversion": cycles * designs.per_pass("conversions"),
        "partial": partials,
        "addition": partials + SHIFTS * shifted,
        "byte": sent,
    }
    energy = np.zeros((*designs.demand.owner.shape, len(index)))
    for part in tile.parts:
        if part.event is not None:
            energy[..., index[part.component]] += tokens * events[part.event] * widen(part.event_pj) * 1e-6
    bytes_ = tokens * (outputs * 2 + scaled + shifted) * VECTOR_BITS / 8
    energy[..., index["sram"]] = bytes_ * widen(tile.digital.sram_byte_pj) * 1e-6
    work = count_layers(designs)
    energy[..., index["digital"]] = energy_uj(designs, *work)
    kinds = len({matrix.input for matrix in designs.workload.encoder.matrices})
    stages = kinds + designs.per_pass("extra_stages")
    first = runs & (np.cumsum(runs, axis=-1) == 1)
    vectors = tokens + stages - 1 + first * tokens  # the first token's attention waits for the last key
    on_us = runs * (vectors * cycles + stages * tile.pipeline_cycles) * cycle_us
    routed = sent / np.maximum(tiles, 1) / tile.router_bytes_per_us
    busy = runs * tokens * np.maximum(cycles * cycle_us, routed)
    return Passes(energy, on_us, busy, time_us(designs, *work), tiles)
