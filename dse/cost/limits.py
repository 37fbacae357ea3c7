"""Limits that follow from the geometry of arrays alone, whatever the hardware model."""

from __future__ import annotations

import numpy as np

from dse.cost.sum import Costs
from dse.records.arrays import Floats
from dse.records.charges import Violation
from dse.records.geometry import Geometry

WIRE_OHM = 1.0
"""Resistance of the wire between two neighbouring cells of a column."""
ON_OHM = 25e3
"""Resistance of a fully-on cell: NeuRRAM's, 40 uS (Wan et al., Nature 2022)."""
ON_OFF = 40.0
"""Conductance of a fully-on cell over that of a cell that is off."""
MOST_LOST = 2.0
"""Currents of a fully-on cell that a column's sum may lose."""


def lost_current(rows: Floats) -> Floats:
    """Return the current that the resistance of a column takes from its sum, in currents of a fully-on cell.

    The column is a ladder of resistors with half of its cells on, which a line with distributed conductance approximates: of the ideal
    current s, the share tanh(u) / u arrives, with s = rows (1 + 1 / on_off) / 4 and
    u = rows sqrt(r_wire (1 + 1 / on_off) / (4 R_on)).

    Args:
        rows: number of wordlines.
    """
    mean = 1 + 1 / ON_OFF
    ideal = rows * mean / 4
    u = rows * np.sqrt(WIRE_OHM * mean / (4 * ON_OHM))
    return np.asarray(ideal * (1 - np.tanh(u) / u))


def adc_bits_needed(geometry: Geometry) -> Floats:
    """Return the bits (P,) of an ADC that never clips: ceil(log2(rows (2^dac - 1)(2^cell - 1) + 1)), one less with flip encoding."""
    largest = geometry.rows * (2.0**geometry.dac_bits - 1) * (2.0**geometry.cell_bits - 1)
    return np.asarray(np.ceil(np.log2(largest + 1)) - geometry.flip)


def find_clipping(geometry: Geometry) -> Violation:
    """Return the limit that converters hold the sum of a full column, for arrays whose conversions are exact."""
    missing = adc_bits_needed(geometry) - geometry.adc_bits
    return Violation("adc_bits", missing, "the ADC has fewer bits than a column's sum needs, so conversions would clip")


def find_drop(geometry: Geometry) -> Violation:
    """Return the limit of the voltage drop along a column."""
    lost = lost_current(np.asarray(geometry.rows, dtype=float))
    reason = f"the voltage drop along a column costs its sum more than {MOST_LOST:g} currents of a fully-on cell"
    return Violation("rows", lost - MOST_LOST, reason)


def find_overload(costs: Costs) -> Violation:
    """Return the limit that requests arrive more slowly than the chip answers them; it holds where the model does not say."""
    load = costs.service["load"]
    excess = np.where(load >= 1, np.maximum(load - 1, np.finfo(float).eps), load - 1)
    return Violation("load", np.nan_to_num(excess), "requests arrive as fast as the chip answers them, or faster")
