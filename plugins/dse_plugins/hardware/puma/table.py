"""Component table of PUMA at 32 nm, from the constants of its public simulator.

Source: https://github.com/Aayush-Ankit/puma-simulator, ``include/constants.py`` and ``include/config.py`` (MIT licence, copyright 2019
Aayush Ankit). Power is dynamic and leakage power together. Sizes of memories are those of Ankit et al., ASPLOS 2019, table 3.
"""

from __future__ import annotations

from typing import NamedTuple

from dse import plugin

ROWS = 128
"""Wordlines and bitlines of a crossbar, ``xbar_size``."""
ARRAYS_PER_MVMU = 8
"""Crossbars of 2-bit cells that hold 16-bit weights, ``phy2log_ratio``; they share inputs."""
MVMUS_PER_CORE = 2
CORES_PER_TILE = 8
TILES_PER_NODE = 138
CYCLE_NS = 2304 / 16
"""Time of one bit of the inputs: a product of 16-bit inputs takes 2,304 ns (ASPLOS 2019)."""
ADC_BIT_MW = 0.25
"""``adc_pow_*_dict``: power grows linearly with the bits of a converter."""
ROUTER_BYTES_PER_US = 4 * 1e3 / 4
"""Share of a tile in a router that moves a flit of 32 bits per ns, ``cmesh_c``."""


class Row(NamedTuple):
    """One component.

    Attributes:
        component: component of the chip.
        area_mm2: area of one.
        power_mw: peak power of one.
        per: arrays that one serves.
        event: event that takes energy.
        events: events of one per cycle at peak.
    """

    component: str
    area_mm2: float
    power_mw: float
    per: int
    event: plugin.Event | None
    events: float


_CORE = MVMUS_PER_CORE * ARRAYS_PER_MVMU
_TILE = CORES_PER_TILE * _CORE
_LINES = ARRAYS_PER_MVMU * ROWS
ROWS_OF_TABLE = (
    Row("arrays", 2.5e-5, 0.3, 1, "read", 1),
    Row("adc", 0.0012, ADC_BIT_MW, 1, "conversion", ROWS),
    Row("dac", ROWS * 1.67e-7, ROWS * (0.00350625 + 0.000390625), ARRAYS_PER_MVMU, "drive", _LINES),
    Row("sample_hold", ROWS * 0.00004 / 8 / 128, ROWS * 9.7e-6, 1, "conversion", ROWS),
    Row("shift_add", 6e-5, 0.05, ARRAYS_PER_MVMU, "conversion", _LINES),
    Row("registers", 0.00078, 0.16 + 1.7 / ROWS + 0.04, ARRAYS_PER_MVMU, "drive", _LINES),  # xbar_inMem
    Row("registers", 0.00078, 0.16 + 0.04, ARRAYS_PER_MVMU, "conversion", _LINES),  # xbar_outMem
    Row("registers", 0.00192, 0.33 + 0.147, _CORE, "partial", CYCLE_NS),  # dataMem of 1 KB, one access per ns
    Row("vector_unit", 0.00567 * 32 / 45, (2.4 + 0.27) * 32 / 45, _CORE, "addition", 4 * CYCLE_NS),  # alu, 4 lanes
    Row("vector_unit", 0.0003, 0.26, _CORE, None, 1),  # act
    Row("control", 0.00145 * 2.25 + 0.00108 * 8**0.5, 0.25 + (0.46 + 0.078) * 8**0.5, _CORE, "read", _CORE),  # ccu, instrnMem
    Row("control", 2 * 0.00145 + 2 * 0.0041 * 8**0.5, 0.05 + 0.525 + 1.5 * 0.98 * 8**0.5, _TILE, "read", _TILE),  # tcu, edram_ctrl, tile_instrnMem, counter_buff
    Row("buffer", 0.086, 17.2 + 0.46, _TILE, "byte", 32 * CYCLE_NS),  # edram, 256 bits per ns
    Row("buffer", 0.0022 * 2, (4.48 + 0.09) * 2, _TILE, "byte", 32 * CYCLE_NS),  # receive_buffer
    Row("bus", 0.090, 6 + 1, _TILE, "byte", 48 * CYCLE_NS),  # edram_bus, 384 bits per ns
    Row("router", 0.047 / 4, (16.13 + 0.41) / 4, _TILE, "byte", CYCLE_NS),  # a quarter of a router of 4 ports; one hop is ours
)  # fmt: skip
MVMU = ("arrays", "adc", "dac", "sample_hold", "shift_add")
"""Components that the published energy of a product has, with registers of inputs and outputs."""
