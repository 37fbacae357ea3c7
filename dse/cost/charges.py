"""Checks of the charges of a hardware model."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from dse.errors import PluginContractError
from dse.records.charges import Components

_PARTS = ("occupancy", "power", "residency")
_OF_RESIDENCY = {"need", "pinned", "capacity", "charge", "same"}
_UNCHECKED = {"names", "endurance", "violations", "resize", "gating", *_PARTS, *_OF_RESIDENCY}
"""Fields of `Components` and its parts that are not charges."""


def check_components(components: Components, who: str) -> None:
    """Refuse charges that are negative or not finite; the error names the plugin."""
    records = {"": components} | {f"{part}.": getattr(components, part) for part in _PARTS}
    charges = {
        f"{part}{field.name}": np.asarray(getattr(record, field.name))
        for part, record in records.items()
        if record is not None
        for field in fields(record)
        if field.name not in _UNCHECKED and getattr(record, field.name) is not None
    }
    for name, values in charges.items():
        if not np.isfinite(values).all() or values.min(initial=0.0) < 0:
            worst = values[~np.isfinite(values) | (values < 0)].ravel()[0]
            raise PluginContractError(
                f"{who}: the hardware model charged a value that is negative or not finite",
                where=f"Components.{name}",
                expected="finite values >= 0",
                found=worst,
            )
