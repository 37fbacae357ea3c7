"""The `puma` hardware model: PUMA's crossbars, of which some wordlines are driven at once."""

from __future__ import annotations

import numpy as np

from dse import plugin
from dse_plugins.hardware.puma import table
from dse_plugins.hardware.puma.options import PumaOptions


class Puma(plugin.TiledHardware):
    """PUMA tiles; the wordlines of a crossbar that are driven at once count as an array, and those of a crossbar take turns."""

    def __init__(self, options: PumaOptions) -> None:
        self.options: PumaOptions = options

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare wordlines at once, cells, converters and encoding, and the size of the chip."""
        return (
            plugin.Choice(name="active_rows", choices=(8, 16, 32, 64, 128), default=128, summary="wordlines driven at once", scores=False),
            plugin.Choice(name="cell_bits", choices=(1, 2), default=2, unit="bit", summary="bits that a cell holds", scores=False),
            plugin.Int(name="adc_bits", low=4, high=9, default=8, limits=(1, 9), unit="bit", summary="ADC resolution", scores=False),
            plugin.Choice(name="encoding", choices=plugin.ENCODINGS, default="offset-flip", summary="storage of signs", scores=False),
            *super().parameters(workload),
        )  # fmt: skip

    def geometry(self, params: plugin.Params) -> plugin.Geometry:
        """Return arrays of the wordlines that are driven at once, and all bitlines."""
        rows = params["active_rows"]
        encoding = sum((params["encoding"] == name) * code for code, name in enumerate(plugin.ENCODINGS))
        fields = {name: params[name] for name in ("cell_bits", "adc_bits", "input_bits")}
        one = np.ones_like(rows)
        columns = one * table.ROWS
        packing = self.options.packing
        return plugin.Geometry(rows, columns, dac_bits=one, encoding=np.asarray(encoding), packing=packing, **fields)

    def tile(self, params: plugin.Params) -> plugin.Tile:
        """Return the unit costs of a tile, whose crossbars have as many arrays as turns."""
        turns = table.ROWS / params["active_rows"]
        crossbars = table.CORES_PER_TILE * table.MVMUS_PER_CORE * table.ARRAYS_PER_MVMU
        parts = []
        for row in table.ROWS_OF_TABLE:
            count = crossbars / row.per
            power_mw = row.power_mw * (params["adc_bits"] if row.component == "adc" else 1)
            event_pj = power_mw * table.CYCLE_NS / row.events / (turns if row.component == "arrays" else 1)
            parts.append(plugin.Part(row.component, count * row.area_mm2, count * power_mw, row.event, event_pj))
        return plugin.Tile(
            tuple(parts),
            arrays=crossbars * turns,
            cycle_us=turns * table.CYCLE_NS * 1e-3,
            writers=table.CORES_PER_TILE * table.MVMUS_PER_CORE,
            router_bytes_per_us=table.ROUTER_BYTES_PER_US,
        )
