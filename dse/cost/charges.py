"""Checks of the charges of a hardware model."""

from __future__ import annotations

import numpy as np

from dse.errors import PluginContractError
from dse.records.charges import Components

_CHECKED = (
    "area_mm2",
    "array_area_mm2",
    "energy_uj",
    "latency_us",
    "input_energy_uj",
    "input_latency_us",
    "request_energy_uj",
    "request_latency_us",
    "switch_energy_uj",
    "switch_latency_us",
    "switch_writes",
    "cell_writes",
    "offchip_mb",
)


def check_components(components: Components, who: str) -> None:
    """Refuse charges that are negative or not finite; the error names the plugin."""
    for name in _CHECKED:
        values = getattr(components, name)
        if not np.isfinite(values).all() or values.min(initial=0.0) < 0:
            worst = values[~np.isfinite(values) | (values < 0)].ravel()[0]
            raise PluginContractError(
                f"{who}: the hardware model charged a value that is negative or not finite",
                where=f"Components.{name}",
                expected="finite values >= 0",
                found=worst,
            )
