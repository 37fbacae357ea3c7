"""Limits of the chip: an ADC that would clip, a chip that is too small, more ADCs than arrays."""

from __future__ import annotations

import numpy as np

from dse import plugin
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import Residency
from dse_plugins.hardware.isaac.units import Units
from dse_plugins.shared import Array

LARGEST_BANDWIDTH = table.IMAS_PER_TILE * table.ARRAYS_PER_IMA * table.ROWS / (table.CYCLE_NS * 1e-3)
"""Input bits that ISAAC's buffer and bus bring to the arrays of a tile in a microsecond."""


def find_violations(
    options: IsaacOptions, geometry: plugin.Geometry, params: plugin.Params, unit: Units, held: Residency
) -> tuple[plugin.Violation, ...]:
    """Return the limits of the chip, with the amount by which each design breaks them, shape (P,)."""
    missing = (adc_bits_needed(geometry) - geometry.adc_bits).astype(float)
    wordlines = options.imas_per_tile * params["arrays_per_ima"] * geometry.rows * geometry.dac_bits / unit.cycle_us
    clips = missing if options.adc == "ideal" else np.zeros_like(missing)  # the loss of real ADCs is scored
    return (
        plugin.Violation(
            "adc_bits", clips, "the ADC has fewer bits than a column's sum needs, so conversions would clip"
        ),
        plugin.Violation("tiles", held.missing, "the chip is smaller than the weights of its largest task"),
        plugin.Violation(
            "adcs_per_ima",
            (params["adcs_per_ima"] - params["arrays_per_ima"]).astype(float),
            "an IMA has more ADCs than arrays",
        ),
        plugin.Violation(
            "bandwidth",
            wordlines / LARGEST_BANDWIDTH - 1,
            "buffer and bus of a tile feed fewer input bits per time than its arrays take",
        ),
    )


def adc_bits_needed(geometry: plugin.Geometry) -> Array:
    """Return the bits of an ADC that never clips: ceil(log2(rows (2^dac - 1)(2^cell - 1) + 1)), one less with flip encoding."""
    largest = geometry.rows * (2.0**geometry.dac_bits - 1) * (2.0**geometry.cell_bits - 1)
    return np.asarray(np.ceil(np.log2(largest + 1)) - geometry.flip)
