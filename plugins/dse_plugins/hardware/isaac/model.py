"""The `isaac` hardware model: area, energy and latency from counts and the component table."""

from __future__ import annotations

from typing import Any

import numpy as np

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import digital
from dse_plugins.hardware.isaac.charges import charge_passes
from dse_plugins.hardware.isaac.chip import Chip
from dse_plugins.hardware.isaac.limits import find_violations
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.residency import needs, residency
from dse_plugins.hardware.isaac.switches import charge_switches, offchip_mb
from dse_plugins.hardware.isaac.units import INDEX, NAMES, Units, units


class Isaac(plugin.Base):
    """ISAAC tiles, with one digital unit per chip and on-chip SRAM for the data that ReRAM does not hold."""

    def __init__(self, options: IsaacOptions) -> None:
        self.options: IsaacOptions = options

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
            plugin.Int(
                name="digital_units", low=0, high=0, default=0, limits=(0, 10_000), baseline=0,
                summary="digital units; at least one for every tiles_per_digital_unit", **hardware,
            ),
            *(
                plugin.Int(
                    name=f"{owner}_replicas", low=1, high=1, default=1, limits=(1, 64), baseline=1,
                    summary=f"copies of the arrays of {whose}", **hardware,
                )
                for owner, whose in (("base", "the base"), ("group", "each group of tasks"), ("task", "each task"))
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
        chip = Chip(
            self.options, params, unit, digital.sram_bits(workload, demand, counts), demand.groups, counts.arrays
        )
        capacity = np.where(params["tiles"] > 0, params["tiles"] * unit.arrays_per_tile, np.inf)
        held = residency(needs(demand, footprint.on_base), chip.arrays, capacity)
        over = plugin.reprogramming(workload, demand, footprint, geometry)
        passes = charge_passes(workload, demand, counts, footprint, geometry, unit, self.options)
        passes.energy_uj[..., INDEX["links"]] = chip.cross_dies(workload, demand, geometry)
        digital_us = passes.digital_us / chip.units[:, None, None]
        input_energy, input_latency = digital.inputs(workload, unit.digital, self.options)
        request_energy, request_latency = digital.requests(counts, unit.digital, self.options)
        moving = np.minimum(chip.arrays.sum((1, 2)), chip.tiles * unit.arrays_per_tile)
        return plugin.Components(
            names=NAMES,
            area_mm2=chip.area_mm2,
            array_area_mm2=moving / unit.arrays_per_tile * unit.tile_mm2.sum(axis=1),
            energy_uj=passes.energy_uj,
            latency_us=passes.on_us + digital_us,
            input_energy_uj=input_energy,
            input_latency_us=input_latency / chip.units[:, None],
            request_energy_uj=request_energy,
            request_latency_us=request_latency / chip.units[:, None],
            offchip_mb=offchip_mb(workload, held, over, geometry, unit),
            endurance=np.full(demand.points, self.options.endurance),
            violations=find_violations(self.options, geometry, params, unit, held),
            write_pulses=np.full(demand.points, self.options.write_pulses),
            occupancy=plugin.Occupancy(passes.busy_us, digital_us, chip.replicas, chip.units, chip.resize),
            power=chip.power(passes.tiles, passes.on_us),
            **charge_switches(self.options, held, over, geometry, unit, chip),
        )

    def levels(self, arrays: int, params: plugin.Params) -> dict[str, int]:
        """Return the number of arrays per tile and per IMA of one design; empty if the chip is too small for all weights."""
        ima = int(params["arrays_per_ima"][0])
        tile = ima * self.options.imas_per_tile
        tiles = int(params["tiles"][0])
        return {"tile": tile, "ima": ima} if tiles == 0 or arrays <= tiles * tile else {}
