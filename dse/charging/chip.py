"""A chip: its tiles, digital units, SRAM, dies and links, with their area and peak power."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from dse.charging.designs import Designs, of_tasks, widen
from dse.charging.digital import count_sram_bits
from dse.charging.passes import Passes
from dse.charging.tile import CLOCK_GHZ, CONVERTERS, SRAM_BIT_MW
from dse.records.arrays import Floats
from dse.records.occupancy import Power
from dse.records.plan import BASE

LINKS_MW = 10.4e3
LINKS_MM2 = 22.88
"""HyperTransport links of a chip: four links with constant power, as ISAAC and PUMA have them."""
LINK_BYTE_PJ = 406.0
"""Energy of a byte between two dies: 10.4 W by four links of 6.4 GB/s."""


class Chip:
    """The chips of P designs.

    Attributes:
        arrays: number of arrays of every owner's layer with all replicas, (P, O, L).
        replicas: copies of the arrays of the base, of each group and of each task, (P, 3).
        tiles: number of tiles, (P,).
        units: number of digital units, (P,).
    """

    def __init__(self, designs: Designs) -> None:
        self._designs, params = designs, designs.params
        self._sram_bits = count_sram_bits(designs)
        self.replicas = np.stack([params[f"{owner}_replicas"] for owner in ("base", "group", "task")], axis=1)
        self.arrays = designs.counts.arrays * self._of_owners(self.replicas)[..., None]
        fitting = np.ceil(self.arrays.sum((1, 2)) / designs.tile.arrays)
        self.tiles = np.where(params["tiles"] > 0, params["tiles"], fitting)
        self.units = self._count_units(params["digital_units"], self.tiles)

    @cached_property
    def dies(self) -> Floats:
        """Number of dies, (P,)."""
        return self._count_dies(self.tiles, self.units)

    @cached_property
    def area_mm2(self) -> Floats:
        """Area by owner, (P, O, C): a share of the tiles, and SRAM; the base has digital units and links."""
        held, index = self.arrays.sum(axis=2), self._designs.index
        tiles = held / np.maximum(held.sum(axis=1, keepdims=True), 1) * self.tiles[:, None]
        area = np.zeros((*held.shape, len(index)))
        for part in self._designs.tile.parts:
            area[..., index[part.component]] += tiles * widen(part.area_mm2, 2)
        area[..., index["sram"]] = self._sram_bits * widen(self._designs.tile.digital.sram_bit_mm2, 2)
        area[:, BASE, index["digital"]] = self.units * self._unit_mm2
        area[:, BASE, index["links"]] = self._linked * LINKS_MM2
        return area

    def resize(self, replicas: Floats, units: Floats) -> Floats:
        """Return the area with other replicas (P, 3) and at least so many digital units (P,), (P,)."""
        arrays = (self._designs.counts.arrays.sum(axis=2) * self._of_owners(replicas)).sum(axis=1)
        tiles = np.maximum(self._designs.params["tiles"], np.ceil(arrays / self._designs.tile.arrays))
        units = self._count_units(units, tiles)
        return np.asarray(self._bare_mm2(tiles, units) + _count_linked(self._count_dies(tiles, units)) * LINKS_MM2)

    def power(self, passes: Passes) -> Power:
        """Return the peak power of the chip and of what works on a pass: its tiles, and the digital units."""
        tile, options = self._designs.tile, self._designs.options
        adc_mw, zero = tile.power_mw(CONVERTERS), np.zeros(len(self.units))
        tile_w = np.stack([zero + adc_mw, zero + tile.power_mw() - adc_mw], axis=1) * 1e-3
        unit_mw = options.digital_macs * tile.digital.mac_pj + options.digital_lanes * tile.digital.lane_pj
        units_w = np.stack([zero, self.units * unit_mw * CLOCK_GHZ * 1e-3], axis=1)
        chip_w = self.tiles[:, None] * tile_w + units_w
        chip_w[:, 1] += self._sram_bits.sum(axis=1) * SRAM_BIT_MW * 1e-3
        links_w = self._linked * LINKS_MW * 1e-3
        shares = (options.static_adc_share, options.static_share)
        return Power(chip_w, tile_w, units_w, passes.tiles, passes.on_us, links_w, shares, options.gating)

    def cross_dies(self) -> Floats:
        """Energy of values that go to the next layer on another die, uJ, (P, T, L).

        Layers are placed in the order base, groups, tasks; each lies on the die that holds its first array.
        """
        designs, owner = self._designs, self._designs.demand.owner
        crosses = np.zeros(owner.shape)
        if (self.dies == 1).all():
            return crosses
        place = np.cumsum(self.arrays.reshape(len(self.dies), -1), axis=1).reshape(self.arrays.shape)
        share = (place - self.arrays) / np.maximum(place[:, -1:, -1:], 1)
        die = of_tasks(np.floor(share * self.dies[:, None, None]), owner)
        last = np.full(owner.shape[:2], -1.0)
        for layer in range(owner.shape[-1]):
            runs = designs.runs[..., layer]
            crosses[..., layer] = runs & (last >= 0) & (die[..., layer] != last)
            last = np.where(runs, die[..., layer], last)
        sent = designs.tokens[:, None] * designs.workload.encoder.hidden * widen(designs.geometry.input_bits) / 8
        return np.asarray(crosses * sent * LINK_BYTE_PJ * 1e-6)

    def _of_owners(self, replicas: Floats) -> Floats:
        """Replicas of every owner, (P, O), from those of the base, groups and tasks."""
        demand = self._designs.demand
        return np.repeat(replicas, [1, demand.groups, demand.tasks], axis=1)

    def _count_units(self, wanted: Floats, tiles: Floats) -> Floats:
        return np.maximum(np.maximum(wanted, 1), np.ceil(tiles / self._designs.options.tiles_per_digital_unit))

    @property
    def _unit_mm2(self) -> Floats | float:
        unit, options = self._designs.tile.digital, self._designs.options
        return options.digital_macs * unit.mac_mm2 + options.digital_lanes * unit.lane_mm2 + unit.buffer_mm2

    def _bare_mm2(self, tiles: Floats, units: Floats) -> Floats:
        sram = self._sram_bits.sum(axis=1) * self._designs.tile.digital.sram_bit_mm2
        return np.asarray(tiles * self._designs.tile.area_mm2() + units * self._unit_mm2 + sram)

    def _count_dies(self, tiles: Floats, units: Floats) -> Floats:
        return np.maximum(np.ceil(self._bare_mm2(tiles, units) / self._designs.options.die_mm2), 1)

    @property
    def _linked(self) -> Floats:
        return _count_linked(self.dies)


def _count_linked(dies: Floats) -> Floats:
    """Number of dies with links: all, where there are several."""
    return np.where(dies > 1, dies, 0)
