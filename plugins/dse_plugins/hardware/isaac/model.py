"""The `isaac` hardware model: area, energy and latency from counts and the component table."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import digital, table
from dse_plugins.hardware.isaac.limits import find_violations
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import needs, of_tasks, residency
from dse_plugins.hardware.isaac.switches import charge_switches, offchip_mb
from dse_plugins.hardware.isaac.units import INDEX, NAMES, Units, units
from dse_plugins.shared import Array


class Isaac(plugin.Base):
    """ISAAC tiles, with one digital unit per chip and on-chip SRAM for the data that ReRAM does not hold."""

    def __init__(self, options: IsaacOptions) -> None:
        self.options = options

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare array size, cells, converters, encoding and chip size; defaults are the ICCAD'21 configuration."""
        del workload
        hardware: dict[str, Any] = {"scores": False}
        return (
            plugin.Choice(
                name="array_size", choices=(64, 128), default=128, allowed=(32, 64, 128, 256, 512),
                summary="wordlines and bitlines of an array", **hardware,
            ),
            plugin.Choice(name="cell_bits", choices=(1, 2, 4), default=1, unit="bit", summary="bits that a cell holds", **hardware),
            plugin.Int(name="adc_bits", low=6, high=10, default=8, limits=(4, 10), unit="bit", summary="ADC resolution", **hardware),
            plugin.Choice(name="dac_bits", choices=(1, 2), default=1, allowed=(1, 2, 4), unit="bit", summary="input bits per cycle", **hardware),
            plugin.Choice(name="encoding", choices=plugin.ENCODINGS, default="separate", summary="storage of signs", **hardware),
            plugin.Choice(name="arrays_per_ima", choices=(4, 8, 16), default=8, allowed=(1, 2, 4, 8, 16, 32), summary="arrays of an IMA", **hardware),
            plugin.Choice(name="adcs_per_ima", choices=(2, 4, 8, 16), default=8, allowed=(1, 2, 4, 8, 16, 32), summary="ADCs of an IMA", **hardware),
            plugin.Int(
                name="tiles", low=0, high=0, default=0, limits=(0, 1_000_000), baseline=0,
                summary="tiles of the chip; 0: as many as the weights need. Fewer tiles need reprogramming", **hardware,
            ),
        )  # fmt: skip

    def geometry(self, params: plugin.Params) -> plugin.Geometry:
        """Return the parameters of arrays and converters, each of shape (P,)."""
        encoding = sum((params["encoding"] == name) * code for code, name in enumerate(plugin.ENCODINGS))
        size = params["array_size"]
        fields = {name: params[name] for name in ("cell_bits", "adc_bits", "dac_bits", "input_bits")}
        return plugin.Geometry(size, size, encoding=np.asarray(encoding), packing=self.options.packing, **fields)

    def units(self, params: plugin.Params) -> Units:
        """Return the unit costs, each of shape (P,), which another component table changes."""
        return units(self.geometry(params), params, self.options)

    def alternatives(self, params: plugin.Params) -> tuple[plugin.Alternative, ...]:
        """Return the costs of the same design under every ADC law."""
        return adc_laws.alternatives(self.options.adc_law, params["adc_bits"])

    def nonideality(self, params: plugin.Params) -> plugin.Nonideality:
        """Return the nonidealities that the options switch on, the same for every design."""
        del params
        return self.options

    def components(
        self,
        workload: plugin.Workload,
        demand: plugin.Demand,
        counts: plugin.Counts,
        footprint: plugin.Footprint,
        params: plugin.Params,
    ) -> plugin.Components:
        """Charge every event of `dse.Counts`, the digital unit, SRAM, off-chip traffic and reprogramming."""
        geometry = self.geometry(params)
        unit = self.units(params)
        capacity = np.where(params["tiles"] > 0, params["tiles"] * unit.arrays_per_tile, np.inf)
        held = residency(needs(demand, footprint.on_base), counts.arrays, capacity)
        over = plugin.reprogramming(workload, demand, footprint, geometry)
        tiles = np.where(
            params["tiles"] > 0, params["tiles"], np.ceil(counts.arrays.sum((1, 2)) / unit.arrays_per_tile)
        )
        energy, latency = self._passes(workload, demand, counts, footprint, geometry, unit)
        input_energy, input_latency = digital.inputs(workload, unit.digital, self.options)
        request_energy, request_latency = digital.requests(counts, unit.digital, self.options)
        power = self._static_power(tiles, unit)
        for name, milliwatts in power.items():
            energy[..., INDEX[name]] += milliwatts[:, None, None] * latency * 1e-3
            input_energy[..., INDEX[name]] += milliwatts[:, None] * input_latency * 1e-3
            request_energy[..., INDEX[name]] += milliwatts[:, None] * request_latency * 1e-3
        moving = np.minimum(counts.arrays.sum((1, 2)), tiles * unit.arrays_per_tile)
        return plugin.Components(
            names=NAMES,
            area_mm2=self._area(workload, demand, counts, unit, tiles),
            array_area_mm2=moving / unit.arrays_per_tile * unit.tile_mm2.sum(axis=1),
            energy_uj=energy,
            latency_us=latency,
            input_energy_uj=input_energy,
            input_latency_us=input_latency,
            request_energy_uj=request_energy,
            request_latency_us=request_latency,
            offchip_mb=offchip_mb(workload, held, over, geometry, unit),
            endurance=np.full(demand.points, self.options.endurance),
            violations=find_violations(self.options, geometry, params, unit, held),
            write_pulses=np.full(demand.points, self.options.write_pulses),
            **charge_switches(self.options, held, over, geometry, unit, tiles),
        )

    def levels(self, arrays: int, params: plugin.Params) -> dict[str, int]:
        """Return the number of arrays per tile and per IMA of one design; empty if the chip is too small for all weights."""
        ima = int(params["arrays_per_ima"][0])
        tile = ima * self.options.imas_per_tile
        tiles = int(params["tiles"][0])
        return {"tile": tile, "ima": ima} if tiles == 0 or arrays <= tiles * tile else {}

    def _passes(
        self,
        workload: plugin.Workload,
        demand: plugin.Demand,
        counts: plugin.Counts,
        footprint: plugin.Footprint,
        geometry: plugin.Geometry,
        unit: Units,
    ) -> tuple[Array, Array]:
        """Energy (P, T, L, C) and latency (P, T, L) of one pass of each task's layer."""
        on_base = of_tasks(footprint.on_base, demand.owner)
        total = {name: _with_base(getattr(counts, name), on_base, demand.owner) for name in _EVENTS}
        tokens = np.array([task.tokens for task in workload.tasks])[None, :, None]
        over = (slice(None), None, None)
        cycles = tokens * unit.cycles[over]
        values = tokens * (total["inputs"] + total["outputs"]) * (geometry.input_bits[over] / 8)
        scaled, shifted, macs = (tokens * total[name] for name in ("scalings", "shifts", "macs"))
        offset_sums = tokens * np.where(geometry.separate[over], 0.0, total["inputs"])
        partials = tokens * total["partials"] + offset_sums
        drives, conversions = cycles * total["drives"], cycles * total["conversions"]
        outputs = tokens * total["outputs"]
        charges = {
            "arrays": cycles * total["arrays"] * unit.array_pj[over],
            "adc": conversions * unit.adc_pj[over],
            "dac": drives * unit.dac_pj[over],
            "sample_hold": conversions * unit.sample_hold_pj[over],
            "shift_add": conversions * unit.shift_add_pj[over] + (partials + SHIFTS * shifted) * unit.partial_pj[over],
            "registers": drives * unit.input_register_pj[over]
            + conversions * unit.output_register_pj[over]
            + partials * unit.partial_register_pj[over],
            "buffer": values * unit.buffer_pj[over],
            "bus": values * unit.bus_pj[over],
            "router": outputs * unit.router_pj[over] * (geometry.input_bits[over] / 8),
            "sram": (outputs * 2 + scaled + shifted) * table.VECTOR_BITS / 8 * unit.digital.sram_byte_pj[over],
        }
        runs = demand.owner != plugin.DROPPED
        energy = np.zeros((*demand.owner.shape, len(NAMES)))
        for name, picojoules in charges.items():
            energy[..., INDEX[name]] = picojoules * 1e-6
        widths = digital.Widths.count(workload.encoder, demand)
        digital_energy, digital_us = digital.layer(workload, widths, unit.digital, self.options)
        lanes = outputs * table.RESCALE_OPS + tokens * total["fed"] * table.QUANTISE_OPS + scaled
        energy[..., INDEX["digital"]] = runs * digital_energy + digital.energy_uj(macs, lanes, unit.digital)
        digital_us = digital_us + digital.time_us(macs, scaled, self.options)
        stages = len({matrix.input for matrix in workload.encoder.matrices}) + total["extra_stages"]
        filled = (tokens + stages - 1) * unit.cycles[over] + stages * table.PIPELINE_CYCLES
        return energy, np.asarray(runs * (filled * unit.cycle_us[over] + digital_us))

    def _area(
        self, workload: plugin.Workload, demand: plugin.Demand, counts: plugin.Counts, unit: Units, tiles: Array
    ) -> Array:
        """Area by owner, mm2, shape (P, O, C): share of tiles, SRAM; the base has the digital unit and links."""
        held = counts.arrays.sum(axis=2)
        share = held / np.maximum(held.sum(axis=1, keepdims=True), 1)
        area = share[..., None] * (tiles[:, None] * unit.tile_mm2)[:, None, :]
        area[..., INDEX["sram"]] += digital.sram_bits(workload, demand, counts) * unit.digital.sram_bit_mm2[:, None]
        area[:, plugin.BASE, INDEX["digital"]] += unit.digital.unit_mm2
        if self.options.links:
            area[:, plugin.BASE, INDEX["links"]] += np.ceil(tiles / table.TILES_PER_CHIP) * table.LINKS_MM2
        return np.asarray(area)

    def _static_power(self, tiles: Array, unit: Units) -> dict[str, Array]:
        """Power drawn while a pass runs, by component, mW, shape (P,), for options that are off by default."""
        power: dict[str, Array] = {}
        if self.options.leakage_share:
            power["leakage"] = self.options.leakage_share * tiles * unit.tile_mw
        if self.options.links:
            power["links"] = np.ceil(tiles / table.TILES_PER_CHIP) * table.LINKS_MW
        return power


_EVENTS = tuple(field.name for field in fields(plugin.Counts) if not field.name.startswith(("digital_", "head_")))
"""Fields of `dse.Counts` that are counts of one pass of a layer; bits in SRAM and heads are not."""
SHIFTS = 2
"""Number of shifts and additions of one factor, which is a sum of 2 powers of two and needs no multiplier."""


def _with_base(values: Array, on_base: Array, owner: Array) -> Array:
    """Count of each task's owner and, if it is a delta, of the base, which runs on the same input, shape (P, T, L)."""
    return np.asarray(of_tasks(values, owner) + on_base * values[:, plugin.BASE, None, :])
