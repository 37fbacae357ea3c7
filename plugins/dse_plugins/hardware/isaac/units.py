"""Unit costs of `isaac` for the parameters of each point: areas, powers and energies scaled from the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import dse
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions

Array = NDArray[Any]

NAMES = (
    "arrays",
    "adc",
    "dac",
    "sample_hold",
    "shift_add",
    "registers",
    "buffer",
    "bus",
    "router",
    "activation",
    "digital",
    "sram",
    "offchip",
    "leakage",
    "links",
)
"""Component names of area and energy."""
INDEX = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True, slots=True)
class Units:
    """Costs (P,) of one array, tile, event and cycle.

    Attributes:
        arrays_per_tile: arrays of a tile.
        tile_mm2: (P, C) area of one tile.
        tile_mw: peak power of one tile.
        cycles: cycles of one input vector.
        cycle_us: length of a cycle: the array's read, or its conversions if ADCs are shared.
        array_pj: one array read for a cycle.
        adc_pj: one conversion.
        dac_pj: one wordline driven for a cycle.
        cells: cells of an array, the extra column of flip encoding included.
    """

    arrays_per_tile: Array
    tile_mm2: Array
    tile_mw: Array
    cycles: Array
    cycle_us: Array
    array_pj: Array
    adc_pj: Array
    dac_pj: Array
    cells: Array


def units(geometry: dse.Geometry, params: dse.Params, options: IsaacOptions) -> Units:
    """Scale the table to every point's parameters."""
    arrays, adcs = params["arrays_per_ima"], params["adcs_per_ima"]
    width = geometry.columns + geometry.flip
    wordlines, bitlines = arrays * geometry.rows, arrays * width
    cells = arrays * geometry.rows * width
    adc_scale = _relative(table.ADC_UM2, geometry.adc_bits)
    dac_scale = 2.0 ** (geometry.dac_bits - 1)  # MNSIM 2.0's DAC library: area and power double with each bit
    sized = {
        "arrays": [(table.ARRAY, cells)],
        "adc": [(table.ADC, adcs * adc_scale)],
        "dac": [(table.DAC, wordlines * dac_scale)],
        "sample_hold": [(table.SAMPLE_HOLD, bitlines)],
        "shift_add": [(table.SHIFT_ADD, adcs)],
        "registers": [(table.INPUT_REGISTER, wordlines), (table.OUTPUT_REGISTER, bitlines)],
    }
    tile_mm2 = np.zeros((len(arrays), len(NAMES)))
    for name, groups in sized.items():
        tile_mm2[:, INDEX[name]] = options.imas_per_tile * sum(group.unit_mm2 * size for group, size in groups)
    fixed = {
        "buffer": table.EDRAM.area_mm2,
        "bus": table.BUS.area_mm2,
        "router": table.ROUTER.area_mm2,
        "activation": table.SIGMOID.area_mm2 + table.MAX_POOL.area_mm2,
    }
    for name, area in fixed.items():
        tile_mm2[:, INDEX[name]] = area
    tile_mm2[:, INDEX["shift_add"]] += table.TILE_SHIFT_ADD.area_mm2
    tile_mm2[:, INDEX["registers"]] += table.TILE_REGISTER.area_mm2
    sized["adc"] = [(table.ADC, adcs * _relative(table.ADC_PJ, geometry.adc_bits))]
    ima_mw = sum(group.unit_mw * size for groups in sized.values() for group, size in groups)
    conversion_us = width * arrays / (adcs * table.ADC_GSPS * 1e3)
    return Units(
        arrays_per_tile=arrays * options.imas_per_tile,
        tile_mm2=tile_mm2,
        tile_mw=np.asarray(options.imas_per_tile * ima_mw + sum(group.power_mw for group in table.TILE)),
        cycles=np.ceil(geometry.input_bits / geometry.dac_bits),
        cycle_us=np.maximum(table.CYCLE_NS / 1e3, conversion_us),
        array_pj=table.ARRAY.event_pj * geometry.rows * width,
        adc_pj=table.ADC.event_pj * _relative(table.ADC_PJ, geometry.adc_bits),
        dac_pj=table.DAC.event_pj * dac_scale,
        cells=geometry.rows * width,
    )


def adc_bits_needed(geometry: dse.Geometry) -> Array:
    """ceil(log2(rows (2^dac - 1)(2^cell - 1) + 1)), one less with flip encoding; no conversion then clips."""
    largest = geometry.rows * (2.0**geometry.dac_bits - 1) * (2.0**geometry.cell_bits - 1)
    return np.asarray(np.ceil(np.log2(largest + 1)) - geometry.flip)


def _relative(by_bits: dict[int, float], bits: Array) -> Array:
    values = np.zeros(max(by_bits) + 1)
    values[list(by_bits)] = [value / by_bits[8] for value in by_bits.values()]
    return values[bits]
