"""Unit costs for the parameters of each design: the records, and ISAAC's own costs, scaled from its table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.shared import Array

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
    "links",
)
"""Component names of area and energy."""
INDEX = {name: index for index, name in enumerate(NAMES)}


@dataclass(frozen=True, slots=True)
class Digital:
    """Costs of the digital unit and of the SRAM beside the arrays, each of shape (P,).

    Attributes:
        mac_pj: energy of one 8-bit multiply-accumulate.
        vector_pj: energy of one operation of a 16-bit lane.
        sram_byte_pj: energy of one byte of SRAM.
        sram_bit_mm2: area of one bit of SRAM.
        unit_mm2: area of one unit with its buffer.
        unit_mw: peak power of one unit.
    """

    mac_pj: Array
    vector_pj: Array
    sram_byte_pj: Array
    sram_bit_mm2: Array
    unit_mm2: Array
    unit_mw: Array


@dataclass(frozen=True, slots=True)
class Units:
    """Costs of one array, tile, event and cycle, each of shape (P,) if nothing else is said.

    Attributes:
        arrays_per_tile: number of arrays of a tile.
        tile_mm2: area of one tile by component, shape (P, C).
        tile_mw: peak power of one tile.
        adcs_mw: peak power of its converters, a part of ``tile_mw``.
        cycles: number of cycles of one input vector.
        cycle_us: length of a cycle: the array's read, or its conversions if ADCs are shared.
        cells: number of cells of an array, with the extra column of flip encoding.
        array_pj: energy of one array read for a cycle.
        adc_pj: energy of one conversion.
        dac_pj: energy of one wordline driven for a cycle.
        sample_hold_pj: energy of one bitline sampled.
        shift_add_pj: energy of one conversion merged.
        input_register_pj: energy of one wordline's input read for a cycle.
        output_register_pj: energy of one conversion accumulated.
        partial_pj: energy of one partial sum added in the tile.
        partial_register_pj: energy of one partial sum kept in the tile.
        buffer_pj: energy of one byte of the tile's buffer.
        bus_pj: energy of one byte between buffer and arrays.
        router_pj: energy of one byte that leaves the tile.
        digital: costs of the digital unit.
    """

    arrays_per_tile: Array
    tile_mm2: Array
    tile_mw: Array
    adcs_mw: Array
    cycles: Array
    cycle_us: Array
    cells: Array
    array_pj: Array
    adc_pj: Array
    dac_pj: Array
    sample_hold_pj: Array
    shift_add_pj: Array
    input_register_pj: Array
    output_register_pj: Array
    partial_pj: Array
    partial_register_pj: Array
    buffer_pj: Array
    bus_pj: Array
    router_pj: Array
    digital: Digital


def units(geometry: plugin.Geometry, params: plugin.Params, options: IsaacOptions) -> Units:
    """Scale the table to every design's parameters."""
    arrays, adcs = params["arrays_per_ima"], params["adcs_per_ima"]
    width = geometry.columns + geometry.flip
    wordlines, bitlines = arrays * geometry.rows, arrays * width
    cells = arrays * geometry.rows * width
    adc_area, adc_energy = adc_laws.relative(options.adc_law, geometry.adc_bits)
    dac_scale = 2.0 ** (geometry.dac_bits - 1)  # MNSIM 2.0's DAC library: area and power double with each bit
    sized = {
        "arrays": [(table.ARRAY, cells)],
        "adc": [(table.ADC, adcs * adc_area)],
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
    sized["adc"] = [(table.ADC, adcs * adc_energy)]
    ima_mw = sum(group.unit_mw * size for groups in sized.values() for group, size in groups)
    constant = partial(np.full, len(arrays))
    return Units(
        **arrange_arrays(geometry, params, options),
        tile_mm2=tile_mm2,
        tile_mw=np.asarray(options.imas_per_tile * ima_mw + sum(group.power_mw for group in table.TILE)),
        adcs_mw=options.imas_per_tile * table.ADC.unit_mw * adcs * adc_energy,
        array_pj=table.ARRAY.event_pj * geometry.rows * width,
        adc_pj=table.ADC.event_pj * adc_energy,
        dac_pj=table.DAC.event_pj * dac_scale,
        sample_hold_pj=constant(table.SAMPLE_HOLD.event_pj),
        shift_add_pj=constant(table.SHIFT_ADD.event_pj),
        input_register_pj=constant(table.INPUT_REGISTER.event_pj),
        output_register_pj=constant(table.OUTPUT_REGISTER.event_pj),
        partial_pj=constant(table.TILE_SHIFT_ADD.event_pj),
        partial_register_pj=constant(table.TILE_REGISTER.event_pj),
        buffer_pj=constant(table.EDRAM.event_pj),
        bus_pj=constant(table.BUS.event_pj),
        router_pj=constant(table.ROUTER.event_pj / table.ROUTER_FLIT_BYTES),
        digital=Digital(
            mac_pj=constant(table.MAC_PJ),
            vector_pj=constant(table.VECTOR_PJ),
            sram_byte_pj=constant(table.SRAM_BYTE_PJ),
            sram_bit_mm2=constant(table.SRAM_BIT_MM2),
            unit_mm2=constant(
                options.digital_macs * table.MAC_MM2 + options.digital_lanes * table.LANE_MM2 + table.EDRAM.area_mm2
            ),
            unit_mw=constant(
                (options.digital_macs * table.MAC_PJ + options.digital_lanes * table.VECTOR_PJ) * table.CLOCK_GHZ
            ),
        ),
    )


def arrange_arrays(geometry: plugin.Geometry, params: plugin.Params, options: IsaacOptions) -> dict[str, Array]:
    """Return the fields of `Units` that depend on no component table: numbers of arrays, cells and cycles, and cycle time."""
    width, arrays = geometry.columns + geometry.flip, params["arrays_per_ima"]
    conversions_us = (
        width * arrays / (params["adcs_per_ima"] * table.ADC_GSPS * 1e3)
    )  # to convert every bitline of an IMA
    return {
        "arrays_per_tile": arrays * options.imas_per_tile,
        "cycles": np.ceil(geometry.input_bits / geometry.dac_bits),
        "cycle_us": np.maximum(table.CYCLE_NS / 1e3, conversions_us),
        "cells": geometry.rows * width,
    }
