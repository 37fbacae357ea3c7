"""The `neurosim` hardware model: ISAAC's tiles, with other component costs and at other nodes."""

from __future__ import annotations

from pathlib import Path

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.units import Units
from dse_plugins.hardware.neurosim.costs import load, read_packaged
from dse_plugins.hardware.neurosim.options import NeuroSimOptions
from dse_plugins.hardware.neurosim.units import units

NODES = (22, 32, 45, 65, 90, 130)
"""Of the packaged table."""
BETWEEN = (28, 40, 55, 110)
"""Nodes that are interpolated."""


class NeuroSim(Isaac):
    """Mapping, tiles, periphery and events as in `Isaac`; what each costs comes from a table."""

    def __init__(self, options: NeuroSimOptions) -> None:
        super().__init__(options)
        self.options: NeuroSimOptions = options
        self.costs = read_packaged() if options.table is None else load(Path(options.table))
        self.costs.array(options.device, self.costs.nodes[:1], self.costs.sizes[:1])  # refuses an unknown device

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Those of `Isaac`, and the node."""
        node = plugin.Choice(
            name="node_nm",
            choices=NODES,
            default=32,
            allowed=tuple(sorted((*NODES, *BETWEEN))),
            unit="nm",
            summary=f"technology node; {', '.join(map(str, BETWEEN))} are interpolated",
            scores=False,
        )
        return (node, *super().parameters(workload))

    def units(self, params: plugin.Params) -> Units:
        """Unit costs (P,) from the table."""
        return units(self.geometry(params), params, self.options, self.costs)

    def alternatives(self, params: plugin.Params) -> tuple[plugin.Alternative, ...]:
        """The same design under every ADC law."""
        return adc_laws.alternatives(self.options.adc_law, params["adc_bits"], params["node_nm"], self.costs)
