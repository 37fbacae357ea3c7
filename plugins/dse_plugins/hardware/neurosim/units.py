"""Unit costs of `neurosim`: costs of the table for the components of ISAAC's tile.

NeuroSim gives cells, drivers of rows and columns, shift-and-add and adders. CACTI gives registers and buffers of
ISAAC's sizes. Components without a circuit in either (sample-and-hold, bus, router, activation units) and digital
arithmetic have published numbers of another node, scaled as logic scales. A shift-and-add accumulates in its own
register, so output registers cost area only.
"""

from __future__ import annotations

from typing import Any

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import table
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


def parts(
    geometry: plugin.Geometry, params: plugin.Params, options: NeuroSimOptions, costs: Costs
) -> tuple[plugin.Part, ...]:
    """Combine the table's costs for every design's parameters."""
    node, columns = params["node_nm"], geometry.columns
    array = costs.array(options.device, node, geometry.rows)
    behind, logic = costs.adc(node, geometry.adc_bits), costs.logic(node)
    adc_area, adc_energy = adc_laws.relative(options.adc_law, geometry.adc_bits, node, costs)
    width, arrays = columns + geometry.flip, options.imas_per_tile * params["arrays_per_ima"]
    wordlines, bitlines = arrays * geometry.rows, arrays * width
    adcs = options.imas_per_tile * params["adcs_per_ima"]
    read_fj = array["off_fj"] + (array["on_fj"] - array["off_fj"]) * options.cell_density
    array_um2 = array["cell_um2"] * bitlines * geometry.rows + array["columns_um2"] * bitlines / columns
    driver_um2 = array["row_um2"] + (2.0 ** (geometry.dac_bits - 1) - 1) * array["level_um2"]
    drive_pj = array["row_idle_pj"] + (array["row_pj"] - array["row_idle_pj"]) * options.input_density
    input_pj = logic["register_pj"] / 8 * geometry.dac_bits
    registers = INPUT_REGISTERS * wordlines / LINES + OUTPUT_REGISTERS * bitlines / LINES + TILE_REGISTERS
    scale, energy = logic["area_from_isaac"], logic["energy_from_isaac"]
    router_pj = table.ROUTER.event_pj / table.ROUTER_FLIT_BYTES * energy

    def part(name: str, area: Array | float, event: Any, event_pj: Array | float, peak: Array | float) -> plugin.Part:
        """Return a part with so many events per cycle at peak."""
        return plugin.Part(name, area, peak * event_pj / table.CYCLE_NS, event, event_pj)

    hold = table.SAMPLE_HOLD
    idle = (("router", table.ROUTER), ("activation", table.SIGMOID), ("activation", table.MAX_POOL))
    return (
        part("arrays", array_um2 * 1e-6, "read", geometry.rows * width * options.input_density * read_fj * 1e-3, arrays),
        part("adc", adcs * table.ADC.unit_mm2 * adc_area, "conversion", table.ADC.event_pj * adc_energy, bitlines),
        part("dac", arrays * driver_um2 * 1e-6, "drive", drive_pj, wordlines),
        part("sample_hold", hold.unit_mm2 * bitlines * scale, "conversion", hold.event_pj * energy, bitlines),
        part("shift_add", adcs * behind["shift_add_um2"] * 1e-6, "conversion", behind["shift_add_pj"], bitlines),
        part("shift_add", logic["adder_um2"] * 1e-6, "addition", logic["adder_pj"], 0.0),
        part("registers", registers * logic["register_mm2"], "drive", input_pj, wordlines),
        part("registers", 0.0, "partial", PARTIAL_BYTES * logic["register_pj"], 0.0),
        part("buffer", logic["buffer_mm2"], "byte", logic["buffer_pj"], PEAK_BYTES),
        part("bus", table.BUS.area_mm2 * scale, "byte", table.BUS.event_pj * energy, PEAK_BYTES),
        part("router", 0.0, "byte", router_pj, 0.0),
        *(plugin.Part(name, row.area_mm2 * scale, row.power_mw * energy) for name, row in idle),
    )  # fmt: skip


def digital_unit(params: plugin.Params, costs: Costs) -> plugin.DigitalUnit:
    """Return costs of the digital unit: energy scaled from 45 nm, area scaled from 32 nm, memories from the table."""
    logic, usual = costs.logic(params["node_nm"]), plugin.DigitalUnit()
    arithmetic, scale = logic["energy_from_horowitz"], logic["area_from_isaac"]
    return plugin.DigitalUnit(
        multiply_pj=usual.multiply_pj * arithmetic,
        lane_pj=usual.lane_pj * arithmetic,
        mac_mm2=usual.mac_mm2 * scale,
        lane_mm2=usual.lane_mm2 * scale,
        buffer_mm2=logic["buffer_mm2"],
        sram_byte_pj=logic["buffer_pj"],
        sram_bit_mm2=logic["register_mm2"] / (2 * 1024 * 8),
    )
