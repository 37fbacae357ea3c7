"""Unit costs of `neurosim`: costs of the table for the components of ISAAC's tile.

NeuroSim gives cells, drivers of rows and columns, shift-and-add and adders. CACTI gives registers and buffers of
ISAAC's sizes. Components without a circuit in either (sample-and-hold, bus, router, activation units) and digital
arithmetic have published numbers of another node, scaled as logic scales. A shift-and-add accumulates in its own
register, so output registers cost area only.
"""

from __future__ import annotations

import numpy as np

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.units import INDEX, NAMES, Digital, Units, arrange_arrays
from dse_plugins.hardware.neurosim.costs import Costs
from dse_plugins.hardware.neurosim.options import NeuroSimOptions
from dse_plugins.shared import Array

LINES = table.ARRAYS_PER_IMA * table.ROWS
"""Number of wordlines, and of bitlines, that share an IMA's registers in ISAAC."""
INPUT_REGISTERS, OUTPUT_REGISTERS, TILE_REGISTERS = 1.0, 256 / 2048, 3.0 / 2.0
"""Sizes of ISAAC's registers, 2 KB, 256 B and 3 KB, in units of 2 KB."""
PARTIAL_BYTES = 2
PEAK_BYTES = 1024
"""Bytes that buffer and bus move per cycle at peak, as in ISAAC."""


def units(geometry: plugin.Geometry, params: plugin.Params, options: NeuroSimOptions, costs: Costs) -> Units:
    """Combine the table's costs for every design's parameters."""
    node = params["node_nm"]
    array = costs.array(options.device, node, geometry.rows)
    behind, logic = costs.adc(node, geometry.adc_bits), costs.logic(node)
    adc_area, adc_energy = adc_laws.relative(options.adc_law, geometry.adc_bits, node, costs)
    width = geometry.columns + geometry.flip
    read_fj = array["off_fj"] + (array["on_fj"] - array["off_fj"]) * options.cell_density
    tile_mm2 = _tile_mm2(geometry, params, options, array, logic)
    adcs = options.imas_per_tile * params["adcs_per_ima"]
    tile_mm2[:, INDEX["adc"]] = adcs * table.ADC.unit_mm2 * adc_area
    tile_mm2[:, INDEX["shift_add"]] = (adcs * behind["shift_add_um2"] + logic["adder_um2"]) * 1e-6
    isaac = logic["energy_from_isaac"]
    energies = {
        "array_pj": geometry.rows * width * options.input_density * read_fj * 1e-3,
        "adc_pj": table.ADC.event_pj * adc_energy,
        "dac_pj": array["row_idle_pj"] + (array["row_pj"] - array["row_idle_pj"]) * options.input_density,
        "sample_hold_pj": table.SAMPLE_HOLD.event_pj * isaac,
        "shift_add_pj": behind["shift_add_pj"],
        "input_register_pj": logic["register_pj"] / 8 * geometry.dac_bits,
        "output_register_pj": np.zeros(len(node)),
        "partial_pj": logic["adder_pj"],
        "partial_register_pj": PARTIAL_BYTES * logic["register_pj"],
        "buffer_pj": logic["buffer_pj"],
        "bus_pj": table.BUS.event_pj * isaac,
        "router_pj": table.ROUTER.event_pj / table.ROUTER_FLIT_BYTES * isaac,
    }
    common = arrange_arrays(geometry, params, options)
    return Units(
        **common,
        tile_mm2=tile_mm2,
        tile_mw=_tile_mw(geometry, common["arrays_per_tile"], energies, isaac),
        adcs_mw=common["arrays_per_tile"] * width * energies["adc_pj"] / table.CYCLE_NS,
        digital=_digital(options, logic),
        **energies,
    )


def _tile_mm2(
    geometry: plugin.Geometry,
    params: plugin.Params,
    options: NeuroSimOptions,
    array: dict[str, Array],
    logic: dict[str, Array],
) -> Array:
    """Area of a tile without converters and shift-and-adds, by component, mm2, shape (P, C)."""
    width, scale = geometry.columns + geometry.flip, logic["area_from_isaac"]
    arrays = options.imas_per_tile * params["arrays_per_ima"]
    wordlines, bitlines = arrays * geometry.rows, arrays * width
    levels = 2.0 ** (geometry.dac_bits - 1) - 1
    registers = INPUT_REGISTERS * wordlines / LINES + OUTPUT_REGISTERS * bitlines / LINES + TILE_REGISTERS
    areas = {
        "arrays": (array["cell_um2"] * bitlines * geometry.rows + array["columns_um2"] * bitlines / geometry.columns)
        * 1e-6,
        "dac": arrays * (array["row_um2"] + levels * array["level_um2"]) * 1e-6,
        "sample_hold": table.SAMPLE_HOLD.unit_mm2 * bitlines * scale,
        "registers": registers * logic["register_mm2"],
        "buffer": logic["buffer_mm2"],
        "bus": table.BUS.area_mm2 * scale,
        "router": table.ROUTER.area_mm2 * scale,
        "activation": (table.SIGMOID.area_mm2 + table.MAX_POOL.area_mm2) * scale,
    }
    tile = np.zeros((len(arrays), len(NAMES)))
    for name, area in areas.items():
        tile[:, INDEX[name]] = area
    return tile


def _tile_mw(geometry: plugin.Geometry, arrays: Array, energies: dict[str, Array], isaac: Array) -> Array:
    """Peak power of a tile whose arrays, converters and buffer all work in each cycle, mW, shape (P,)."""
    lines = {"array_pj": 1, "dac_pj": geometry.rows, "input_register_pj": geometry.rows}
    columns = geometry.columns + geometry.flip
    lines |= dict.fromkeys(("adc_pj", "sample_hold_pj", "shift_add_pj"), columns)
    cycle_pj = arrays * sum(energies[name] * count for name, count in lines.items())
    cycle_pj = cycle_pj + PEAK_BYTES * (energies["buffer_pj"] + energies["bus_pj"])
    rest = sum(group.power_mw for group in (table.ROUTER, table.SIGMOID, table.MAX_POOL))
    return np.asarray(cycle_pj / table.CYCLE_NS + rest * isaac)


def _digital(options: NeuroSimOptions, logic: dict[str, Array]) -> Digital:
    """Costs of the digital unit: energy scaled from 45 nm, area scaled from 32 nm, memories from the table."""
    arithmetic, sram = logic["energy_from_horowitz"], logic["buffer_pj"]
    gates = options.digital_macs * table.MAC_MM2 + options.digital_lanes * table.LANE_MM2
    mac_pj, vector_pj = (
        table.MULTIPLY_ADD_PJ * arithmetic + 2 * sram / table.MAC_REUSE,
        table.VECTOR_PJ * arithmetic,
    )
    return Digital(
        mac_pj=mac_pj,
        vector_pj=vector_pj,
        sram_byte_pj=sram,
        sram_bit_mm2=logic["register_mm2"] / (2 * 1024 * 8),
        unit_mm2=gates * logic["area_from_isaac"] + logic["buffer_mm2"],
        unit_mw=(options.digital_macs * mac_pj + options.digital_lanes * vector_pj) * table.CLOCK_GHZ,
    )
