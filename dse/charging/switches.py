"""Switches: the writes of a chip from one task to the next, their energy and time, and the data that is kept off-chip."""

from __future__ import annotations

import numpy as np

from dse.charging.chip import Chip
from dse.charging.designs import Designs, widen
from dse.charging.residency import Residency
from dse.charging.tile import DRAM_BYTE_PJ
from dse.cost.reprogramming import reprogramming
from dse.records.arrays import Floats
from dse.records.stored import VECTOR_BITS


def charge_switches(designs: Designs, held: Residency, chip: Chip) -> dict[str, Floats]:
    """Energy, time and writes of switches, (P, T, T), and the size of off-chip data, MB, (P,).

    Every cell of a written array or block takes its verify pulses, row by row. The arrays that share writing circuits are written one
    after another, all tiles of the chip at once.
    """
    options, geometry = designs.options, designs.geometry
    array_cells = widen(geometry.rows * (geometry.columns + geometry.flip))
    image_bytes = array_cells * widen(geometry.cell_bits) / 8
    cells, arrays, image = held.written * array_cells, held.written, held.written * image_bytes
    offchip = held.swapped * image_bytes[:, 0, 0]
    over = reprogramming(designs.workload, designs.demand, designs.footprint, geometry)
    if over is not None:
        copies = widen(chip.replicas[:, 0])
        cells, arrays, image = cells + copies * over.cells, arrays + copies * over.arrays, image + over.image_bits / 8
        offchip = offchip + over.held_bits / 8
    rounds = np.ceil(arrays / np.maximum(widen(chip.tiles * designs.tile.writers), 1))
    embeddings = designs.workload.encoder.embedding_parameters * VECTOR_BITS / 8
    return {
        "switch_energy_uj": (cells * options.write_pulses * options.write_energy_pj + image * DRAM_BYTE_PJ) * 1e-6,
        "switch_latency_us": rounds * widen(geometry.rows) * options.write_pulses * options.write_pulse_us,
        "switch_writes": cells,
        "cell_writes": np.where(held.written > 0, options.write_pulses, 0.0),
        "offchip_mb": np.asarray((embeddings + offchip) / 1e6),
    }
