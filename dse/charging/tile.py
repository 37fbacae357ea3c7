"""Unit costs of a chip of tiles, which a hardware model states: the parts of a tile, and the digital unit beside the tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal, TypeAlias

import numpy as np

from dse.records.arrays import Floats

Cost: TypeAlias = float | Floats
"""A number for all P designs, or one for each, shape (P,)."""
Event: TypeAlias = Literal["read", "drive", "conversion", "partial", "addition", "byte"]
"""An array is read for a cycle; a live wordline is driven for a cycle; a live bitline is converted; a partial sum leaves the
arrays; a partial sum, a row of an offset's input sum or half a shifted factor is added; a byte goes between buffer and arrays."""
CONVERTERS = "adc"
"""Component of converters, whose static power has a share of its own and whose costs other laws may change."""
SHARED = ("digital", "sram", "offchip", "links")
"""Components of the chip beside its tiles."""
CLOCK_GHZ = 1.2

# Energy of digital arithmetic: Horowitz, "Computing's energy problem", ISSCC 2014, 45 nm at 0.9 V: 8-bit multiply
# 0.2 pJ, 32-bit add 0.1 pJ, 16-bit floating multiply 1.1 pJ and add 0.4 pJ, 64 bits from a 32 KB SRAM 20 pJ, from DRAM
# 1.3 to 2.6 nJ (the middle is used). The numbers are not scaled to 32 nm, and uncertain by a factor of 2.
SRAM_BYTE_PJ = 20.0 / 8
DRAM_BYTE_PJ = 1950.0 / 8
MAC_REUSE = 32
"""Number of products for which an operand read from SRAM is used."""
MULTIPLY_ADD_PJ = 0.2 + 0.1
VECTOR_PJ = 1.1 + 0.4
"""Energy of one lane operation: a 16-bit floating multiply-add."""

# Area of the digital unit: zigzag-dse 3.9.1, AIMC table at 28 nm (NAND2 0.614 um2, full adder 4.789 um2, flip-flop 3.684
# um2), scaled by (32 / 28)^2. An 8-bit multiplier-accumulator has 64 NAND2, 56 full adders and a 24-bit accumulator.
_SCALE = (32 / 28) ** 2
MAC_MM2 = (64 * 0.614 + 56 * 4.789 + 24 * (4.789 + 3.684)) * _SCALE * 1e-6
LANE_MM2 = 4 * MAC_MM2
"""Area of a 16-bit floating multiply-add: about four 8-bit multiplier-accumulators (an 11-bit mantissa, alignment)."""
BUFFER_MM2 = 0.083
"""Area of 64 KB of eDRAM: ISAAC's, table I."""

SRAM_BIT_MM2 = 0.257e-6
"""Area of a bit of on-chip SRAM: CACTI's 2 KB memory at 32 nm, as in the table of `neurosim`."""
SRAM_BIT_MW = 1.24 / (2 * 1024 * 8)
"""Peak power of a bit of on-chip SRAM: that of ISAAC's own 2 KB register."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of each tile, as a row of a published table of components.

    Attributes:
        component: name of the component that its area and energy are charged to; several parts may have the same one.
        area_mm2: area in one tile.
        power_mw: peak power in one tile.
        event: event that takes energy; None: the part takes none.
        event_pj: energy of one such event.
    """

    component: str
    area_mm2: Cost = 0.0
    power_mw: Cost = 0.0
    event: Event | None = None
    event_pj: Cost = 0.0


@dataclass(frozen=True, slots=True)
class DigitalUnit:
    """Unit costs of a digital unit and of the SRAM of the chip; the defaults hold for every model of 32 nm that has none of its own.

    Attributes:
        multiply_pj: energy of one multiply-accumulate of 8 bits, without its operands.
        lane_pj: energy of one operation of a 16-bit lane.
        mac_mm2: area of one multiplier.
        lane_mm2: area of one lane.
        buffer_mm2: area of the unit's buffer.
        sram_byte_pj: energy of one byte of SRAM.
        sram_bit_mm2: area of one bit of SRAM.
    """

    multiply_pj: Cost = MULTIPLY_ADD_PJ
    lane_pj: Cost = VECTOR_PJ
    mac_mm2: Cost = MAC_MM2
    lane_mm2: Cost = LANE_MM2
    buffer_mm2: Cost = BUFFER_MM2
    sram_byte_pj: Cost = SRAM_BYTE_PJ
    sram_bit_mm2: Cost = SRAM_BIT_MM2

    @property
    def mac_pj(self) -> Cost:
        """Energy of one multiply-accumulate of 8 bits, with its operands from SRAM."""
        return self.multiply_pj + 2 * self.sram_byte_pj / MAC_REUSE


@dataclass(frozen=True, slots=True)
class Tile:
    """Unit costs of P designs' tiles.

    Attributes:
        parts: parts of a tile; the component called ``adc`` is what converters cost.
        arrays: number of arrays of a tile.
        cycle_us: length of one input cycle.
        writers: number of arrays of a tile that are written at once.
        pipeline_cycles: cycles of a product of matrices beyond those of its inputs.
        router_bytes_per_us: bytes that a tile's router moves in a microsecond at peak.
        digital: digital unit and SRAM.
    """

    parts: tuple[Part, ...]
    arrays: Cost
    cycle_us: Cost
    writers: Cost = 1.0
    pipeline_cycles: float = 0.0
    router_bytes_per_us: float = np.inf
    digital: DigitalUnit = DigitalUnit()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the C components: those of the tiles, then those beside them."""
        return (*dict.fromkeys(part.component for part in self.parts), *SHARED)

    def area_mm2(self, *components: str) -> Cost:
        """Return the area of these components in one tile, or of all."""
        return self._add([part.area_mm2 for part in self.parts if not components or part.component in components])

    def power_mw(self, *components: str) -> Cost:
        """Return the peak power of these components in one tile, or of all."""
        return self._add([part.power_mw for part in self.parts if not components or part.component in components])

    def event_pj(self, component: str, event: Event) -> Cost:
        """Return the energy that a component takes at one event."""
        return self._add([part.event_pj for part in self.parts if (part.component, part.event) == (component, event)])

    @staticmethod
    def _add(costs: list[Cost]) -> Cost:
        return reduce(add, costs, 0.0)
