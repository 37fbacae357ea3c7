"""Component table of ISAAC and of the digital unit beside it.

ISAAC: Shafiee et al., ISCA 2016, table I of the corrected version (32 nm, CE configuration). Power and area are group
totals, as published. The energy of an event is a component's power over its peak event rate.
"""

from __future__ import annotations

from dataclasses import dataclass

CYCLE_NS = 100.0
"""Time of one crossbar read."""
ADC_GSPS = 1.28
"""Conversions per nanosecond of one ADC: 128 columns per cycle."""
CLOCK_GHZ = 1.2
ARRAYS_PER_IMA = 8
ADCS_PER_IMA = 8
ROWS = 128
CELL_BITS = 2
WEIGHT_BITS = 16
IMAS_PER_TILE = 12
TILES_PER_CHIP = 168
_CELLS = ARRAYS_PER_IMA * ROWS * ROWS
_LINES = ARRAYS_PER_IMA * ROWS
_CYCLES_PER_S = 1e9 / CYCLE_NS


@dataclass(frozen=True, slots=True)
class Group:
    """One row of the table.

    Attributes:
        power_mw: power of the group at peak.
        area_mm2: area of the group.
        units: number of units of the group; area and power scale with it.
        events_per_s: events of the whole group per second at peak.
    """

    power_mw: float
    area_mm2: float
    units: float
    events_per_s: float

    @property
    def event_pj(self) -> float:
        """Energy of one event."""
        return self.power_mw * 1e9 / self.events_per_s

    @property
    def unit_mm2(self) -> float:
        """Area of one unit."""
        return self.area_mm2 / self.units

    @property
    def unit_mw(self) -> float:
        """Peak power of one unit."""
        return self.power_mw / self.units


ADC = Group(16.0, 0.0096, ADCS_PER_IMA, ADCS_PER_IMA * ADC_GSPS * 1e9)
"""Units: converters. Event: one conversion."""
DAC = Group(4.0, 0.00017, _LINES, _LINES * _CYCLES_PER_S)
"""Units: wordlines. Event: one wordline is driven for a cycle."""
SAMPLE_HOLD = Group(0.01, 0.00004, _LINES, _LINES * _CYCLES_PER_S)
"""Units: bitlines. Event: one bitline is sampled."""
ARRAY = Group(2.4, 0.0002, _CELLS, _CELLS * _CYCLES_PER_S)
"""Units: cells. Event: one cell is read for a cycle."""
SHIFT_ADD = Group(0.2, 0.00024, ADCS_PER_IMA, ADCS_PER_IMA * ADC_GSPS * 1e9)
"""Units: converters (four shift-and-adds serve eight). Event: one conversion is merged."""
INPUT_REGISTER = Group(1.24, 0.0021, _LINES, _LINES * _CYCLES_PER_S)
"""2 KB. Units: wordlines. Event: one wordline's input bit is read."""
OUTPUT_REGISTER = Group(0.23, 0.00077, _LINES, ADCS_PER_IMA * ADC_GSPS * 1e9)
"""256 B. Units: bitlines. Event: one conversion is accumulated."""
IMA = (ADC, DAC, SAMPLE_HOLD, ARRAY, SHIFT_ADD, INPUT_REGISTER, OUTPUT_REGISTER)

EDRAM = Group(20.7, 0.083, 1, 1024 * _CYCLES_PER_S)
"""64 KB, two banks. Event: one byte; 1 KB per cycle at peak."""
BUS = Group(7.0, 0.090, 1, 1024 * _CYCLES_PER_S)
"""Event: one byte between eDRAM and the IMAs."""
ROUTER = Group(42.0 / 4, 0.151 / 4, 1, 8 * CLOCK_GHZ * 1e9 / 4)
"""A quarter of an eight-port router. Event: one flit of 32 bits."""
ROUTER_FLIT_BYTES = 4
ROUTER_BYTES_PER_US = ROUTER.events_per_s * ROUTER_FLIT_BYTES * 1e-6
"""Bytes that the routers of a tile move in a microsecond at peak."""
SIGMOID = Group(0.52, 0.0006, 1, 2 * CLOCK_GHZ * 1e9)
"""Counted for its area only: transformers need GELU, which the digital unit computes."""
MAX_POOL = Group(0.4, 0.00024, 1, CLOCK_GHZ * 1e9)
"""Counted for its area only, like the sigmoid."""
TILE_SHIFT_ADD = Group(0.05, 0.00006, 1, CLOCK_GHZ * 1e9)
"""Event: one partial sum is added."""
TILE_REGISTER = Group(1.68, 0.0032, 1, CLOCK_GHZ * 1e9)
"""3 KB. Event: one partial sum is written."""
TILE = (EDRAM, BUS, ROUTER, SIGMOID, MAX_POOL, TILE_SHIFT_ADD, TILE_REGISTER)

LINKS_MW = 10.4e3
LINKS_MM2 = 22.88
"""HyperTransport links of a chip: four links with constant power."""
LINK_BYTE_PJ = 406.0
"""Energy of a byte between two dies: 10.4 W by four links of 6.4 GB/s."""

PIPELINE_CYCLES = 6
"""Cycles of ISAAC's 22-cycle pipeline beyond the 16 of a 16-bit input: fetch, convert, shift, output, write."""

ADC_PJ = {4: 0.79, 5: 0.99, 6: 1.20, 7: 1.42, 8: 1.67, 9: 1.97, 10: 2.38}
ADC_UM2 = {4: 361.0, 5: 477.0, 6: 627.0, 7: 845.0, 8: 1200.0, 9: 1828.0, 10: 3002.0}
"""Scaling of ISAAC's ADC with resolution: hwcomponents-library 8b56f7e, IsaacADC, used relative to 8 bits."""


@dataclass(frozen=True, slots=True)
class ChipTotals:
    """Published totals: tile 0.372 mm2 and 330 mW; chip 85.4 mm2, 65.8 W, 627.5 GOPS/W."""

    tile_mm2: float
    tile_mw: float
    chip_mm2: float
    chip_w: float
    gops_per_w: float
    gops_per_mm2: float


def published_chip() -> ChipTotals:
    """Add up the table to ISAAC's own chip, as a check against the published totals."""
    tile_mm2 = sum(group.area_mm2 for group in TILE) + IMAS_PER_TILE * sum(group.area_mm2 for group in IMA)
    tile_mw = sum(group.power_mw for group in TILE) + IMAS_PER_TILE * sum(group.power_mw for group in IMA)
    chip_mm2 = TILES_PER_CHIP * tile_mm2 + LINKS_MM2
    chip_w = (TILES_PER_CHIP * tile_mw + LINKS_MW) / 1e3
    slices = WEIGHT_BITS // CELL_BITS
    weights_per_array = ROWS * ROWS // slices
    arrays = TILES_PER_CHIP * IMAS_PER_TILE * ARRAYS_PER_IMA
    gops = arrays * weights_per_array * 2 / (WEIGHT_BITS * CYCLE_NS)
    return ChipTotals(tile_mm2, tile_mw, chip_mm2, chip_w, gops / chip_w, gops / chip_mm2)
