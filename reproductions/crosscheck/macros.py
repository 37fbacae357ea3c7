"""Our macros as peers count theirs: one array with drivers, converters and shift-and-add, by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from dse_plugins.hardware.isaac.model import Isaac
from dse_plugins.hardware.isaac.options import IsaacOptions, Law
from dse_plugins.hardware.neurosim.model import NeuroSim
from dse_plugins.hardware.neurosim.options import NeuroSimOptions
from numpy.typing import NDArray

import dse
from dse.records.parameters import INPUT_BITS

Array = NDArray[Any]
Name = Literal["isaac", "neurosim"]
Sharing = Literal["array", "bitline"]
SIZES, ADC_BITS, CELL_BITS = (32, 64, 128, 256, 512), tuple(range(4, 11)), (1, 2, 4)
POINTS = [
    {"size": size, "adc_bits": bits, "cell_bits": cell} for size in SIZES for bits in ADC_BITS for cell in CELL_BITS
]
PARTS = ("array", "converters", "digital")
WEIGHT_BITS = 8


@dataclass(frozen=True)
class Macros:
    """Costs of macros at every point of the sweep.

    Attributes:
        area_mm2: area by part, (N,), mm2.
        energy_pj: energy of one product of an 8-bit vector with the array, by part, (N,), pJ.
    """

    area_mm2: Mapping[str, Array]
    energy_pj: Mapping[str, Array]

    def total(self, what: str) -> Array:
        """Sum of the parts, (N,)."""
        return np.asarray(sum(getattr(self, what).values()))


def peer(rows: Sequence[Mapping[str, Any]]) -> Macros:
    """What a peer's script wrote."""
    area, energy = (
        {part: np.array([row[what][part] for row in rows]) for part in PARTS} for what in ("area_mm2", "energy_pj")
    )
    return Macros(area, energy)


def weights() -> Array:
    """8-bit weights that the array of each point holds, (N,)."""
    return np.array([point["size"] ** 2 * point["cell_bits"] / WEIGHT_BITS for point in POINTS])


def ours(name: Name, sharing: Sharing, *, law: Law | None = None, node_nm: int = 32) -> Macros:
    """Our macros, from the unit costs that the model charges.

    Args:
        name: name of the hardware model.
        sharing: whether an array or each of its bitlines has an ADC.
        law: ADC law; by default the model's own.
        node_nm: node of `neurosim`, nm; `isaac` has 32 nm.
    """
    chosen: dict[str, Any] = {} if law is None else {"adc_law": law}
    model = (
        Isaac(IsaacOptions(imas_per_tile=1, **chosen))
        if name == "isaac"
        else NeuroSim(NeuroSimOptions(imas_per_tile=1, **chosen))
    )
    params = _params(model, sharing, node_nm)
    tile, size = model.tile(params), params["array_size"]
    area = {
        "array": tile.area_mm2("arrays", "dac"),
        "converters": tile.area_mm2("adc", "sample_hold"),
        "digital": tile.area_mm2("shift_add") - _tile_adder_mm2(model, params),
    }
    energy = {
        "array": tile.event_pj("arrays", "read") + size * tile.event_pj("dac", "drive"),
        "converters": size * (tile.event_pj("adc", "conversion") + tile.event_pj("sample_hold", "conversion")),
        "digital": size * tile.event_pj("shift_add", "conversion"),
    }
    cycles = np.ceil(params["input_bits"] / params["dac_bits"])
    areas = {part: np.asarray(value) for part, value in area.items()}
    return Macros(areas, {part: cycles * value for part, value in energy.items()})


def _params(model: Isaac, sharing: Sharing, node_nm: int) -> dse.Params:
    from tests.support.workloads import workload

    declared = {item.name: np.full(len(POINTS), item.default) for item in (*model.parameters(workload()), INPUT_BITS)}  # type: ignore[union-attr]  # only orders have no default
    sweep = {
        name: np.array([point[key] for point in POINTS])
        for name, key in (("array_size", "size"), ("adc_bits", "adc_bits"), ("cell_bits", "cell_bits"))
    }
    one = np.ones(len(POINTS), dtype=int)
    adcs = one if sharing == "array" else sweep["array_size"]
    changed = {**sweep, "arrays_per_ima": one, "adcs_per_ima": adcs, "node_nm": one * node_nm}
    return dse.Params(len(POINTS), declared | {name: value for name, value in changed.items() if name in declared})


def _tile_adder_mm2(model: Isaac, params: dse.Params) -> Array:
    """Area of the tile's own adder, which no macro has: what is left of shift-and-add without converters."""
    without = dse.Params(len(POINTS), {**params, "adcs_per_ima": np.zeros(len(POINTS), dtype=int)})
    return np.asarray(model.tile(without).area_mm2("shift_add"))
