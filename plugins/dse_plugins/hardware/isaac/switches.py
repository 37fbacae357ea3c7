"""Switches: the writes of a chip from one task to the next, their energy and time, and the data that is kept off-chip."""

from __future__ import annotations

import numpy as np

from dse import plugin
from dse_plugins.hardware.isaac import digital, table
from dse_plugins.hardware.isaac.chip import Chip
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import Residency
from dse_plugins.hardware.isaac.units import Units
from dse_plugins.shared import Array


def charge_switches(
    options: IsaacOptions,
    held: Residency,
    over: plugin.Reprogramming | None,
    geometry: plugin.Geometry,
    unit: Units,
    chip: Chip,
) -> dict[str, Array]:
    """Energy, time and writes of switches, each of shape (P, T, T).

    Every cell of a written array or block takes its verify pulses, row by row. The arrays of an IMA are written one
    after another, all IMAs of the chip at once.
    """
    across = (slice(None), None, None)
    pulses = options.write_pulses
    cells, arrays = held.written * unit.cells[across], held.written
    image = held.written * _image_bytes(geometry, unit)[across]
    if over is not None:
        copies = chip.replicas[:, 0][across]
        cells, arrays, image = cells + copies * over.cells, arrays + copies * over.arrays, image + over.image_bits / 8
    rounds = np.ceil(arrays / np.maximum(chip.tiles * options.imas_per_tile, 1)[across])
    return {
        "switch_energy_uj": (cells * pulses * options.write_energy_pj + image * table.DRAM_BYTE_PJ) * 1e-6,
        "switch_latency_us": rounds * geometry.rows[across] * pulses * options.write_pulse_us,
        "switch_writes": cells,
        "cell_writes": (held.written > 0) * pulses,
    }


def offchip_mb(
    workload: plugin.Workload,
    held: Residency,
    over: plugin.Reprogramming | None,
    geometry: plugin.Geometry,
    unit: Units,
) -> Array:
    """Size of embeddings, images of swapped arrays, and images written over the base, MB, shape (P,)."""
    images = held.swapped * _image_bytes(geometry, unit)
    if over is not None:
        images = images + over.held_bits / 8
    return np.asarray((digital.embedding_bytes(workload) + images) / 1e6)


def _image_bytes(geometry: plugin.Geometry, unit: Units) -> Array:
    """Size of one array's image, bytes, shape (P,)."""
    return np.asarray(unit.cells * geometry.cell_bits / 8)
