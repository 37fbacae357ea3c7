"""Passes: energy and time of the events of one input in each task's layer."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from dse import plugin
from dse_plugins.hardware.isaac import digital, table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import of_tasks
from dse_plugins.hardware.isaac.units import INDEX, NAMES, Units
from dse_plugins.shared import Array

_EVENTS = tuple(field.name for field in fields(plugin.Counts) if not field.name.startswith(("digital_", "head_")))
"""Fields of `dse.Counts` that are counts of one pass of a layer; bits in SRAM and heads are not."""
SHIFTS = 2
"""Number of shifts and additions of one factor, which is a sum of 2 powers of two and needs no multiplier."""


@dataclass(frozen=True, slots=True)
class Passes:
    """One pass of each task's layer, with the base's arrays that run beside its own.

    Attributes:
        energy_uj: energy by component, shape (P, T, L, C).
        on_us: time from the first to the last vector, shape (P, T, L).
        busy_us: time for which arrays and routers take no other input, shape (P, T, L).
        digital_us: time of one digital unit, shape (P, T, L).
        tiles: number of tiles at work, shape (P, T, L).
    """

    energy_uj: Array
    on_us: Array
    busy_us: Array
    digital_us: Array
    tiles: Array


def charge_passes(
    workload: plugin.Workload,
    demand: plugin.Demand,
    counts: plugin.Counts,
    footprint: plugin.Footprint,
    geometry: plugin.Geometry,
    unit: Units,
    options: IsaacOptions,
) -> Passes:
    """Charge every event of a pass."""
    on_base = of_tasks(footprint.on_base, demand.owner)
    total = {name: _with_base(getattr(counts, name), on_base, demand.owner) for name in _EVENTS}
    tokens = np.array([task.tokens for task in workload.tasks])[None, :, None]
    over = (slice(None), None, None)
    runs, tiles = demand.owner != plugin.DROPPED, total["arrays"] / unit.arrays_per_tile[over]
    values = count_values(total, unit) * geometry.input_bits[over] / 8
    macs, outputs = tokens * total["macs"], tokens * total["outputs"]
    energy = np.zeros((*demand.owner.shape, len(NAMES)))
    for name, picojoules in _charge_events(total, tokens, values, geometry, unit).items():
        energy[..., INDEX[name]] = picojoules * 1e-6
    widths = digital.Widths.count(workload.encoder, demand)
    digital_energy, digital_us = digital.layer(workload, widths, unit.digital, options)
    lanes = outputs * table.RESCALE_OPS + tokens * (total["fed"] * table.QUANTISE_OPS + total["scalings"])
    energy[..., INDEX["digital"]] = runs * digital_energy + digital.energy_uj(macs, lanes, unit.digital)
    digital_us = runs * (digital_us + digital.time_us(macs, lanes, options))
    stages = len({matrix.input for matrix in workload.encoder.matrices}) + total["extra_stages"]
    first = runs & (np.cumsum(runs, axis=-1) == 1)
    vectors = tokens + stages - 1 + first * tokens  # the first token's attention waits for the last key
    filled = vectors * unit.cycles[over] + stages * table.PIPELINE_CYCLES
    routed = values / np.maximum(tiles, 1) / table.ROUTER_BYTES_PER_US
    busy = tokens * np.maximum(unit.cycles[over] * unit.cycle_us[over], routed)
    return Passes(energy, runs * filled * unit.cycle_us[over], runs * busy, digital_us, tiles)


def count_values(total: dict[str, Array], unit: Units) -> Array:
    """Values of one vector that go through buffers, buses and routers: its inputs, once for each tile that they drive, and outputs."""
    copies = total["drives"] / unit.arrays_per_tile[:, None, None]
    return np.asarray(np.maximum(total["inputs"], copies) + total["outputs"])


def _charge_events(
    total: dict[str, Array], tokens: Array, values: Array, geometry: plugin.Geometry, unit: Units
) -> dict[str, Array]:
    """Energy of arrays, converters and transport by component, pJ, shape (P, T, L)."""
    over = (slice(None), None, None)
    cycles = tokens * unit.cycles[over]
    scaled, shifted, outputs = (tokens * total[name] for name in ("scalings", "shifts", "outputs"))
    offset_sums = tokens * np.where(geometry.separate[over], 0.0, total["inputs"])
    partials = tokens * total["partials"] + offset_sums
    drives, conversions, bytes_ = cycles * total["drives"], cycles * total["conversions"], tokens * values
    return {
        "arrays": cycles * total["arrays"] * unit.array_pj[over],
        "adc": conversions * unit.adc_pj[over],
        "dac": drives * unit.dac_pj[over],
        "sample_hold": conversions * unit.sample_hold_pj[over],
        "shift_add": conversions * unit.shift_add_pj[over] + (partials + SHIFTS * shifted) * unit.partial_pj[over],
        "registers": drives * unit.input_register_pj[over]
        + conversions * unit.output_register_pj[over]
        + partials * unit.partial_register_pj[over],
        "buffer": bytes_ * unit.buffer_pj[over],
        "bus": bytes_ * unit.bus_pj[over],
        "router": bytes_ * unit.router_pj[over],
        "sram": (outputs * 2 + scaled + shifted) * table.VECTOR_BITS / 8 * unit.digital.sram_byte_pj[over],
    }


def _with_base(values: Array, on_base: Array, owner: Array) -> Array:
    """Count of each task's owner and, if it is a delta, of the base, which runs on the same input, shape (P, T, L)."""
    return np.asarray(of_tasks(values, owner) + on_base * values[:, plugin.BASE, None, :])
