"""Switches: the writes of a chip from one task to the next, their energy and time, and the data that is kept off-chip."""

from __future__ import annotations

import numpy as np

from dse.charging.chip import Chip
from dse.charging.designs import Designs
from dse.charging.tile import DRAM_BYTE_PJ
from dse.cost.reprogramming import reprogramming
from dse.records.arrays import Floats, Ints
from dse.records.stored import VECTOR_BITS


class Switches:
    """Charges of the switches of P designs.

    Every cell of a written array or block takes its verify pulses, row by row. The arrays that share writing circuits are written one
    after another, all tiles of the chip at once.

    Args:
        designs: the designs.
        chip: their chips.

    Attributes:
        image_bytes: size of the image of one array, (P,).
        offchip_mb: size of embeddings and of images of blocks, (P,).
    """

    def __init__(self, designs: Designs, chip: Chip) -> None:
        geometry, points = designs.geometry, designs.demand.points
        self._options, self._rows = designs.options, np.broadcast_to(geometry.rows, points)
        self._cells = np.broadcast_to(geometry.rows * (geometry.columns + geometry.flip), points)
        self._writers = np.maximum(chip.tiles * designs.tile.writers, 1)
        self._copies = chip.replicas[:, 0]
        self._over = reprogramming(designs.workload, designs.demand, designs.footprint, geometry)
        self.image_bytes = self._cells * geometry.cell_bits / 8
        held_bits = 0.0 if self._over is None else self._over.held_bits
        embeddings = designs.workload.encoder.embedding_parameters * VECTOR_BITS
        self.offchip_mb = np.broadcast_to((embeddings + held_bits) / 8e6, points)

    def charge(self, points: Ints, last: Ints, task: Ints, arrays: Floats) -> dict[str, Floats]:
        """Charge switches that write arrays, and the blocks of the base that the next task needs; see `ChargeSwitches`."""
        options, over = self._options, self._over
        swapped, cells, image = arrays, arrays * self._cells[points], arrays * self.image_bytes[points]
        if over is not None:
            at, copies = (points, last, task), self._copies[points]
            cells, arrays = cells + copies * over.cells[at], arrays + copies * over.arrays[at]
            image = image + over.image_bits[at] / 8
        rounds = np.ceil(arrays / self._writers[points])
        return {
            "switch_energy_uj": (cells * options.write_pulses * options.write_energy_pj + image * DRAM_BYTE_PJ) * 1e-6,
            "switch_latency_us": rounds * self._rows[points] * options.write_pulses * options.write_pulse_us,
            "switch_writes": cells,
            "cell_writes": np.where(swapped > 0, options.write_pulses, 0.0),
        }
