"""A chip: its tiles, digital units, SRAM, dies and links, with their area and peak power."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from dse import plugin
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import of_tasks
from dse_plugins.hardware.isaac.units import INDEX, Units
from dse_plugins.shared import Array


class Chip:
    """The chips of P designs.

    Attributes:
        arrays: number of arrays of every owner's layer with all replicas, shape (P, O, L).
        replicas: copies of the arrays of the base, of each group and of each task, shape (P, 3).
        tiles: number of tiles, shape (P,).
        units: number of digital units, shape (P,).
    """

    def __init__(
        self, options: IsaacOptions, params: plugin.Params, unit: Units, sram_bits: Array, groups: int, arrays: Array
    ) -> None:
        self._options, self._params, self._unit = options, params, unit
        self._sram_bits, self._groups, self._once = sram_bits, groups, arrays
        self.replicas = np.stack([params[f"{owner}_replicas"] for owner in ("base", "group", "task")], axis=1)
        self.arrays = arrays * self._of_owners(self.replicas)[..., None]
        stated = params["tiles"]
        self.tiles = np.where(stated > 0, stated, np.ceil(self.arrays.sum((1, 2)) / unit.arrays_per_tile))
        self.units = self._count_units(params["digital_units"], self.tiles)

    @cached_property
    def dies(self) -> Array:
        """Number of dies, shape (P,)."""
        return self._count_dies(self.tiles, self.units)

    @cached_property
    def area_mm2(self) -> Array:
        """Area by owner, shape (P, O, C): a share of the tiles, and SRAM; the base has digital units and links."""
        held = self.arrays.sum(axis=2)
        share = held / np.maximum(held.sum(axis=1, keepdims=True), 1)
        area = share[..., None] * (self.tiles[:, None] * self._unit.tile_mm2)[:, None, :]
        area[..., INDEX["sram"]] += self._sram_bits * self._unit.digital.sram_bit_mm2[:, None]
        area[:, plugin.BASE, INDEX["digital"]] += self.units * self._unit.digital.unit_mm2
        area[:, plugin.BASE, INDEX["links"]] += _linked(self.dies) * table.LINKS_MM2
        return np.asarray(area)

    def resize(self, replicas: Array, units: Array) -> Array:
        """Return the area with other replicas (P, 3) and at least so many digital units (P,), shape (P,)."""
        arrays = (self._once.sum(axis=2) * self._of_owners(replicas)).sum(axis=1)
        tiles = np.maximum(self._params["tiles"], np.ceil(arrays / self._unit.arrays_per_tile))
        units = self._count_units(units, tiles)
        return np.asarray(self._bare_mm2(tiles, units) + _linked(self._count_dies(tiles, units)) * table.LINKS_MM2)

    def power(self, tiles_on: Array, on_us: Array) -> plugin.Power:
        """Return the peak power of the chip and of what works on a pass: its tiles, and the digital units.

        Args:
            tiles_on: number of tiles that hold each task's layer, shape (P, T, L).
            on_us: time from the first to the last vector of a pass, shape (P, T, L).
        """
        unit = self._unit
        tile_mw = np.stack([unit.adcs_mw, unit.tile_mw - unit.adcs_mw], axis=1)
        units_mw = np.stack([np.zeros(len(self.units)), self.units * unit.digital.unit_mw], axis=1)
        chip_mw = self.tiles[:, None] * tile_mw + units_mw
        chip_mw[:, 1] += self._sram_bits.sum(axis=1) * table.SRAM_BIT_MW
        links_w = _linked(self.dies) * table.LINKS_MW * 1e-3
        shares = (self._options.static_adc_share, self._options.static_share)
        chip_w, tile_w, units_w = (peak_mw * 1e-3 for peak_mw in (chip_mw, tile_mw, units_mw))
        return plugin.Power(chip_w, tile_w, units_w, tiles_on, on_us, links_w, shares, self._options.gating)

    def cross_dies(self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry) -> Array:
        """Energy of values that go to the next layer on another die, uJ, shape (P, T, L).

        Layers are placed in the order base, groups, tasks; each lies on the die that holds its first array.
        """
        crosses = np.zeros(demand.owner.shape)
        if (self.dies == 1).all():
            return crosses
        place = np.cumsum(self.arrays.reshape(len(self.dies), -1), axis=1).reshape(self.arrays.shape)
        die = of_tasks(
            np.floor((place - self.arrays) / np.maximum(place[:, -1:, -1:], 1) * self.dies[:, None, None]), demand.owner
        )
        last = np.full(demand.owner.shape[:2], -1.0)
        for layer in range(demand.owner.shape[-1]):
            runs = demand.owner[..., layer] != plugin.DROPPED
            crosses[..., layer] = runs & (last >= 0) & (die[..., layer] != last)
            last = np.where(runs, die[..., layer], last)
        tokens = np.array([task.tokens for task in workload.tasks])[:, None]
        sent = tokens * workload.encoder.hidden * geometry.input_bits[:, None, None] / 8
        return np.asarray(crosses * sent * table.LINK_BYTE_PJ * 1e-6)

    def _of_owners(self, replicas: Array) -> Array:
        """Replicas of every owner, shape (P, O), from those of the base, groups and tasks."""
        owners = self._once.shape[1]
        return np.repeat(replicas, [1, self._groups, owners - 1 - self._groups], axis=1)

    def _count_units(self, wanted: Array, tiles: Array) -> Array:
        return np.maximum(np.maximum(wanted, 1), np.ceil(tiles / self._options.tiles_per_digital_unit))

    def _bare_mm2(self, tiles: Array, units: Array) -> Array:
        sram = self._sram_bits.sum(axis=1) * self._unit.digital.sram_bit_mm2
        return np.asarray(tiles * self._unit.tile_mm2.sum(axis=1) + units * self._unit.digital.unit_mm2 + sram)

    def _count_dies(self, tiles: Array, units: Array) -> Array:
        return np.maximum(np.ceil(self._bare_mm2(tiles, units) / self._options.die_mm2), 1)


def _linked(dies: Array) -> Array:
    """Number of dies with links: all, where there are several."""
    return np.where(dies > 1, dies, 0)
