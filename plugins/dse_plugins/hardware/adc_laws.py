"""What converters of other resolutions cost: three laws, since conclusions about ADC bits depend on which is believed.

``isaac``: ISAAC's converter scaled as its capacitor array grows, table of hwcomponents-library's IsaacADC. ``linear``:
ISAAC's converter times bits over eight, as PUMA's simulator scales its power. ``survey``: the regression of Andrulis et al.
(arXiv 2404.06553) over published converters, which is almost flat up to six bits and far larger in area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse.errors import PluginContractError
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import Law

if TYPE_CHECKING:
    from dse_plugins.hardware.neurosim.costs import Costs

Array = NDArray[Any]
LAWS: tuple[Law, ...] = ("isaac", "linear", "survey")
NODE_NM = 32
"""Node of ISAAC's converter."""


def relative(law: Law, bits: Array, node_nm: Array | None = None, costs: Costs | None = None) -> tuple[Array, Array]:
    """Area, and energy of a conversion, each (P,), relative to ISAAC's 8-bit converter at 32 nm.

    Args:
        law: which one.
        bits: (P,) resolution, 4 to 10.
        node_nm: (P,), by default 32 nm.
        costs: table of the survey's converters and of how logic scales, by default the packaged one.
    """
    if law == "survey":
        nodes = np.full(len(bits), NODE_NM) if node_nm is None else node_nm
        found = (costs or _read_packaged()).adc(nodes, bits)
        return found["survey_um2"] / (table.ADC.unit_mm2 * 1e6), found["survey_pj"] / table.ADC.event_pj
    area, energy = (
        (bits / 8.0,) * 2 if law == "linear" else (_by_bits(table.ADC_UM2, bits), _by_bits(table.ADC_PJ, bits))
    )
    if node_nm is None:
        return area, energy
    scale = (costs or _read_packaged()).logic(node_nm)
    return area * scale["area_from_isaac"], energy * scale["energy_from_isaac"]


def alternatives(
    chosen: Law, bits: Array, node_nm: Array | None = None, costs: Costs | None = None
) -> tuple[plugin.Alternative, ...]:
    """What a design's converters cost under each law, relative to the chosen one; arguments as of `relative`."""
    area, energy = relative(chosen, bits, node_nm, costs)
    found = []
    for law in LAWS:
        other_area, other_energy = relative(law, bits, node_nm, costs)
        found.append(plugin.Alternative(f"ADC law {law}", {"adc": other_area / area}, {"adc": other_energy / energy}))
    return tuple(found)


def _read_packaged() -> Costs:
    """The packaged table, read only where it is needed."""
    from dse_plugins.hardware.neurosim.costs import read_packaged

    return read_packaged()


def _by_bits(values: dict[int, float], bits: Array) -> Array:
    """A table's value for every resolution, relative to 8 bits."""
    if np.min(bits) < min(values) or np.max(bits) > max(values):
        raise PluginContractError(
            "the ADC law `isaac` does not know this resolution",
            expected=f"{min(values)} to {max(values)} bits",
            found=f"{np.min(bits)} to {np.max(bits)}",
        )
    relative_to_8 = np.array([value / values[8] for _, value in sorted(values.items())])
    return np.asarray(relative_to_8[bits - min(values)])
