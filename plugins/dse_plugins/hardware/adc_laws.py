"""Cost of converters of other resolutions: three laws, since conclusions about ADC bits depend on the law.

``isaac`` scales ISAAC's converter as its capacitor array grows, by the table of hwcomponents-library's IsaacADC.
``linear`` multiplies ISAAC's converter by bits over eight, as PUMA's simulator scales its power. ``survey`` is the
regression of Andrulis et al. (arXiv 2404.06553) over published converters, which is almost flat up to six bits and far
larger in area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dse import plugin
from dse.errors import PluginContractError
from dse_plugins.hardware.isaac import table
from dse_plugins.hardware.isaac.options import Law
from dse_plugins.shared import Array

if TYPE_CHECKING:
    from dse_plugins.hardware.neurosim.costs import Costs

LAWS: tuple[Law, ...] = ("isaac", "linear", "survey")
NODE_NM = 32
"""Node of ISAAC's converter, nm."""


def relative(law: Law, bits: Array, node_nm: Array | None = None, costs: Costs | None = None) -> tuple[Array, Array]:
    """Area, and energy of a conversion, relative to ISAAC's 8-bit converter at 32 nm, each of shape (P,).

    Args:
        law: name of the law.
        bits: resolution, 4 to 10 bits, shape (P,).
        node_nm: technology node, nm, shape (P,); by default 32 nm.
        costs: table of the survey's converters and of the scaling of logic, by default the packaged table.
    """
    if law == "survey":
        nodes = np.full(len(bits), NODE_NM) if node_nm is None else node_nm
        survey = (costs or _read_packaged()).adc(nodes, bits)
        return survey["survey_um2"] / (table.ADC.unit_mm2 * 1e6), survey["survey_pj"] / table.ADC.event_pj
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
    """Cost of a design's converters under each law, relative to the chosen law, from the arguments of `relative`."""
    by_law = {law: relative(law, bits, node_nm, costs) for law in LAWS}
    chosen_area, chosen_energy = by_law[chosen]
    return tuple(
        plugin.Alternative(f"ADC law {law}", {"adc": area / chosen_area}, {"adc": energy / chosen_energy})
        for law, (area, energy) in by_law.items()
    )


def _read_packaged() -> Costs:
    """Read the packaged table; its module loads only for a law that needs it."""
    from dse_plugins.hardware.neurosim.costs import read_packaged

    return read_packaged()


def _by_bits(values: dict[int, float], bits: Array) -> Array:
    """Value of a table for every resolution, relative to 8 bits, shape (P,)."""
    if np.min(bits) < min(values) or np.max(bits) > max(values):
        raise PluginContractError(
            "the ADC law `isaac` does not know this resolution",
            expected=f"{min(values)} to {max(values)} bits",
            found=f"{np.min(bits)} to {np.max(bits)}",
        )
    relative_to_8 = np.array([value / values[8] for _, value in sorted(values.items())])
    return np.asarray(relative_to_8[bits - min(values)])
