"""Hardware models of tiles: a model states unit costs and what differs, and the rest is charged in the same way for all."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from dse.charging.chip import Chip
from dse.charging.designs import Designs
from dse.charging.digital import charge_inputs, charge_requests
from dse.charging.options import TiledOptions
from dse.charging.overrides import declare_scales, override_costs
from dse.charging.passes import charge_passes
from dse.charging.residency import describe_residency, estimate_writes, find_missing
from dse.charging.switches import Switches
from dse.charging.tile import Tile
from dse.errors import SpaceError
from dse.plugins.base import Base
from dse.records.charges import Components, Violation
from dse.records.counts import Counts
from dse.records.demand import Demand
from dse.records.footprint import Footprint
from dse.records.geometry import Geometry
from dse.records.nonideality import Nonideality
from dse.records.occupancy import Occupancy
from dse.records.parameters import Int, Parameter
from dse.records.params import Params
from dse.records.workload import Workload


class TiledHardware(Base, ABC):
    """Base class of hardware models whose arrays lie in tiles, with digital units and SRAM beside them.

    A model gives `geometry` and `tile`; its own parameters stand before those that `parameters` here declares. The rest is charged for
    it: the base under deltas, kept heads and columns, early exits, digital work, SRAM, embeddings, reads from off-chip, writes, dies.

    Args:
        options: options of the chip and of its non-idealities.
    """

    options: TiledOptions

    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """Declare the size of the chip: tiles, digital units and replicas; check the option ``pinned``.

        Raises:
            SpaceError: the option names a task that the workload does not have.
        """
        unknown = [name for name in self.options.pinned if name not in workload.task_names]
        if unknown:
            raise SpaceError(
                "the option 'pinned' of the hardware names a task that the workload does not have",
                where="[hardware options] pinned",
                expected=f"names among {', '.join(workload.task_names)}",
                found=", ".join(unknown),
                fix="write names of [workload] tasks, or leave the option out",
            )
        sizes = {
            "tiles": (
                "tiles of the chip; 0: as many as the weights need. Fewer tiles need reprogramming",
                0,
                1_000_000,
            ),
            "digital_units": ("digital units; at least one for every tiles_per_digital_unit", 0, 10_000),
            "base_replicas": ("copies of the arrays of the base", 1, 64),
            "group_replicas": ("copies of the arrays of each group of tasks", 1, 64),
            "task_replicas": ("copies of the arrays of each task", 1, 64),
        }
        chip = (
            Int(
                name=name, low=least, high=least, default=least, limits=(least, most), baseline=least, summary=summary,
                scores=False,
            )
            for name, (summary, least, most) in sizes.items()
        )  # fmt: skip
        return (*chip, *declare_scales(self.options.costs))

    @abstractmethod
    def geometry(self, params: Params) -> Geometry:
        """Return arrays, cells and converters; a model must define it."""

    @abstractmethod
    def tile(self, params: Params) -> Tile:
        """Return the unit costs of a tile; a model must define it."""

    def limits(self, params: Params) -> tuple[Violation, ...]:
        """Return the limits that only this model has: none."""
        del params
        return ()

    def nonideality(self, params: Params) -> Nonideality:
        """Return the non-idealities that the options switch on, the same for every design."""
        del params
        return self.options

    def levels(self, arrays: int, params: Params) -> dict[str, int]:
        """Return the number of arrays per tile of one design; empty if the chip is too small for all weights."""
        tile, tiles = int(np.reshape(self.tile(params).arrays, -1)[0]), int(params["tiles"][0])
        return {"tile": tile} if tiles == 0 or arrays <= tiles * tile else {}

    def components(
        self, workload: Workload, demand: Demand, counts: Counts, footprint: Footprint, params: Params
    ) -> Components:
        """Charge every event of `dse.Counts`, the digital unit, SRAM, off-chip traffic and reprogramming."""
        options = self.options
        tile = override_costs(self.tile(params), options.costs, params)
        designs = Designs(workload, demand, counts, footprint, params, self.geometry(params), tile, options)
        chip, passes = Chip(designs), charge_passes(designs)
        passes.energy_uj[..., designs.index["links"]] = chip.cross_dies()
        switches, tasks = Switches(designs, chip), np.arange(demand.tasks)
        held = describe_residency(designs, chip, switches)
        pairs = np.arange(demand.points)[:, None, None], tasks[:, None], tasks
        digital_us = passes.digital_us / chip.units[:, None, None]
        input_energy, input_us = charge_inputs(designs)
        request_energy, request_us = charge_requests(designs)
        moving = np.minimum(chip.arrays.sum((1, 2)), chip.tiles * tile.arrays)
        return Components(
            names=tile.names,
            area_mm2=chip.area_mm2,
            array_area_mm2=moving / tile.arrays * tile.area_mm2(),
            energy_uj=passes.energy_uj,
            latency_us=passes.on_us + digital_us,
            input_energy_uj=input_energy,
            input_latency_us=input_us / chip.units[:, None],
            request_energy_uj=request_energy,
            request_latency_us=request_us / chip.units[:, None],
            endurance=np.full(demand.points, options.endurance),
            violations=(find_missing(held), *self.limits(params)),
            write_pulses=np.full(demand.points, options.write_pulses),
            occupancy=Occupancy(passes.busy_us, digital_us, chip.replicas, chip.units, chip.resize),
            power=chip.power(passes),
            offchip_mb=switches.offchip_mb,
            residency=held,
            tiles=np.broadcast_to(np.asarray(chip.tiles, dtype=float), demand.points),
            **switches.charge(*pairs, estimate_writes(held)),
        )
