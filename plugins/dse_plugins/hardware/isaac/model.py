"""The `isaac` hardware model: ISAAC's parts of a tile, and the limits of its IMAs."""

from __future__ import annotations

import numpy as np

from dse import plugin
from dse_plugins.hardware import adc_laws
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import IsaacOptions
from dse_plugins.hardware.isaac.units import arrange_tile, parts

LARGEST_BANDWIDTH = table.IMAS_PER_TILE * table.ARRAYS_PER_IMA * table.ROWS / (table.CYCLE_NS * 1e-3)
"""Input bits that ISAAC's buffer and bus bring to the arrays of a tile in a microsecond."""


class Isaac(plugin.TiledHardware):
    """ISAAC tiles, generalised in array size, cells, converters and encoding."""

    def __init__(self, options: IsaacOptions) -> None:
        self.options: IsaacOptions = options

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare array size, cells, converters, encoding and chip size; defaults are the ICCAD'21 configuration."""
        return (
            plugin.Choice(
                name="array_size", choices=(64, 128), default=128, allowed=(32, 64, 128, 256, 512), scores=False,
                summary="wordlines and bitlines of an array",
            ),
            plugin.Choice(name="cell_bits", choices=(1, 2, 4), default=1, unit="bit", summary="bits that a cell holds", scores=False),
            plugin.Int(name="adc_bits", low=6, high=10, default=8, limits=(4, 10), unit="bit", summary="ADC resolution", scores=False),
            plugin.Choice(name="dac_bits", choices=(1, 2), default=1, allowed=(1, 2, 4), unit="bit", summary="input bits per cycle", scores=False),
            plugin.Choice(name="encoding", choices=plugin.ENCODINGS, default="separate", summary="storage of signs", scores=False),
            plugin.Choice(name="arrays_per_ima", choices=(4, 8, 16), default=8, allowed=(1, 2, 4, 8, 16, 32), summary="arrays of an IMA", scores=False),
            plugin.Choice(name="adcs_per_ima", choices=(2, 4, 8, 16), default=8, allowed=(1, 2, 4, 8, 16, 32), summary="ADCs of an IMA", scores=False),
            *super().parameters(workload),
        )  # fmt: skip

    def geometry(self, params: plugin.Params) -> plugin.Geometry:
        """Return the parameters of arrays and converters, each of shape (P,)."""
        encoding = sum((params["encoding"] == name) * code for code, name in enumerate(plugin.ENCODINGS))
        size = params["array_size"]
        fields = {name: params[name] for name in ("cell_bits", "adc_bits", "dac_bits")}
        bits = params.get(
            "input_bits", np.full(params.points, 8)
        )  # a model of contract 1 that wraps this one gives none
        fields |= {"encoding": np.asarray(encoding), "input_bits": bits}
        return plugin.Geometry(size, size, packing=self.options.packing, **fields)

    def tile(self, params: plugin.Params) -> plugin.Tile:
        """Return the unit costs of a tile, each of shape (P,)."""
        geometry, digital = self.geometry(params), plugin.DigitalUnit()
        return arrange_tile(
            geometry, params, self.options.imas_per_tile, parts(geometry, params, self.options), digital
        )

    def alternatives(self, params: plugin.Params) -> tuple[plugin.Alternative, ...]:
        """Return the costs of the same design under every ADC law."""
        return adc_laws.alternatives(self.options.adc_law, params["adc_bits"])

    def limits(self, params: plugin.Params) -> tuple[plugin.Violation, ...]:
        """Return the limits of IMAs and of a tile's buffer, with the amount by which each design breaks them, shape (P,)."""
        wordlines = self.options.imas_per_tile * params["arrays_per_ima"] * params["array_size"] * params["dac_bits"]
        bandwidth = wordlines / self.tile(params).cycle_us
        idle = (params["adcs_per_ima"] - params["arrays_per_ima"]).astype(float)
        slow = "buffer and bus of a tile feed fewer input bits per time than its arrays take"
        return (
            plugin.Violation("adcs_per_ima", idle, "an IMA has more ADCs than arrays"),
            plugin.Violation("bandwidth", bandwidth / LARGEST_BANDWIDTH - 1, slow),
        )

    def levels(self, arrays: int, params: plugin.Params) -> dict[str, int]:
        """Return the number of arrays per tile and per IMA of one design; empty if the chip is too small for all weights."""
        tile = super().levels(arrays, params)
        return tile | {"ima": int(params["arrays_per_ima"][0])} if tile else {}
