"""Limits of the chip: an ADC that would clip, a chip that is too small, more ADCs than arrays."""

from __future__ import annotations

import numpy as np

from dse import plugin
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import Residency
from dse_plugins.shared import Array


def find_violations(
    options: IsaacOptions, geometry: plugin.Geometry, params: plugin.Params, held: Residency
) -> tuple[plugin.Violation, ...]:
    """Return the limits of the chip, with the amount by which each design breaks them, shape (P,)."""
    missing = (adc_bits_needed(geometry) - geometry.adc_bits).astype(float)
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
    )


def adc_bits_needed(geometry: plugin.Geometry) -> Array:
    """Return the bits of an ADC that never clips: ceil(log2(rows (2^dac - 1)(2^cell - 1) + 1)), one less with flip encoding."""
    largest = geometry.rows * (2.0**geometry.dac_bits - 1) * (2.0**geometry.cell_bits - 1)
    return np.asarray(np.ceil(np.log2(largest + 1)) - geometry.flip)
