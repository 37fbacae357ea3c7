"""The `neurosim` hardware model: ISAAC's tiles with other component costs and at other nodes."""

from __future__ import annotations

from pathlib import Path

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.units import arrange_tile
from dse_plugins.hardware.neurosim.costs import load, read_packaged
from dse_plugins.hardware.neurosim.options import NeuroSimOptions
from dse_plugins.hardware.neurosim.units import digital_unit, parts

NODES = (22, 32, 45, 65, 90, 130)
"""Technology nodes of the packaged table, nm."""
BETWEEN = (28, 40, 55, 110)
"""Technology nodes that are interpolated, nm."""


class NeuroSim(Isaac):
    """ISAAC's mapping, tiles, periphery and events, with costs from a table."""

    def __init__(self, options: NeuroSimOptions) -> None:
        super().__init__(options)
        self.options: NeuroSimOptions = options
        self.costs = read_packaged() if options.table is None else load(Path(options.table))
        self.costs.array(options.device, self.costs.nodes[:1], self.costs.sizes[:1])  # raises if the device is unknown

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the node and the parameters of `Isaac`."""
        node = plugin.Choice(
            name="node_nm", choices=NODES, default=32, allowed=tuple(sorted((*NODES, *BETWEEN))), unit="nm", scores=False,
            summary=f"technology node; {', '.join(map(str, BETWEEN))} are interpolated",
        )  # fmt: skip
        return (node, *super().parameters(workload))

    def tile(self, params: plugin.Params) -> plugin.Tile:
        """Return the unit costs of a tile from the table, each of shape (P,)."""
        geometry = self.geometry(params)
        own = parts(geometry, params, self.options, self.costs)
        return arrange_tile(geometry, params, self.options.imas_per_tile, own, digital_unit(params, self.costs))

    def alternatives(self, params: plugin.Params) -> tuple[plugin.Alternative, ...]:
        """Return the costs of the same design under every ADC law."""
        return adc_laws.alternatives(self.options.adc_law, params["adc_bits"], params["node_nm"], self.costs)
