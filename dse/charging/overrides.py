"""Overrides: costs of single parts of a tile, or of a digital unit, that replace those of the model's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dse.charging.tile import Cost, DigitalUnit, Part, Tile
from dse.errors import SpaceError
from dse.records.parameters import Float, Parameter
from dse.records.params import Params

_FIELDS = ("area_mm2", "power_mw", "event_pj")
"""Costs of a part."""
_UNIT = "digital"
"""Begins the entries of the digital unit."""


class Scale(BaseModel):
    """A factor of an entry."""

    model_config = ConfigDict(extra="forbid")

    scale: float = Field(gt=0, le=1000, allow_inf_nan=False)


Override: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)] | Scale


def declare_scales(overrides: Mapping[str, Override]) -> Iterator[Parameter]:
    """Yield a parameter for each factor, which a study may search."""
    for entry, override in overrides.items():
        if isinstance(override, Scale):
            yield Float(
                name=name_scale(entry), low=override.scale, high=override.scale, default=override.scale, limits=(0.001, 1000.0),
                summary=f"factor of the model's own {entry}", scores=False,
            )  # fmt: skip


def name_scale(entry: str) -> str:
    """Return the name of the parameter of an entry's factor, such as ``adc_event_pj_scale``."""
    return f"{entry.replace('.', '_')}_scale"


def override_costs(tile: Tile, overrides: Mapping[str, Override], params: Params) -> Tile:
    """Return the tile with other costs.

    Args:
        tile: unit costs of the model's own table.
        overrides: a value, or a factor, by entry: ``component.field`` of `dse.charging.tile.Part`, or ``digital.field`` of
            `DigitalUnit`. A value is the sum over the parts of the component.
        params: parameters of the designs, which have the factors.

    Raises:
        SpaceError: there is no such entry, or a value is given for the sum of several events.
    """
    for entry, override in overrides.items():
        component, _, field = entry.partition(".")
        own = _read_entries(tile).get(entry)
        if own is None:
            raise SpaceError(
                "the option 'costs' of the hardware names an entry that its table does not have",
                where="[hardware options] costs",
                expected=f"one of {', '.join(sorted(_read_entries(tile)))}",
                found=entry,
            )
        events = [part for part in tile.parts if part.component == component and part.event is not None]
        if not isinstance(override, Scale) and field == "event_pj" and len(events) > 1:
            raise SpaceError(
                "this component takes energy at several events, so one value cannot replace them",
                where=f"[hardware options] costs, {entry}",
                expected="{ scale = FACTOR }",
                found=override,
            )
        factor = params[name_scale(entry)] if isinstance(override, Scale) else np.divide(override, own)
        if component == _UNIT:
            changed = replace(tile.digital, **{field: getattr(tile.digital, field) * factor})
            tile = replace(tile, digital=changed)
        else:
            tile = replace(tile, parts=tuple(_scale(part, component, field, factor) for part in tile.parts))
    return tile


def _scale(part: Part, component: str, field: str, factor: Cost) -> Part:
    return replace(part, **{field: getattr(part, field) * factor}) if part.component == component else part


def _read_entries(tile: Tile) -> dict[str, Cost]:
    """Return the entries of a table that are above 0, by name."""
    entries: dict[str, Cost] = {
        f"{_UNIT}.{item.name}": getattr(tile.digital, item.name) for item in fields(DigitalUnit)
    }
    for part in tile.parts:
        for field in _FIELDS:
            name, cost = f"{part.component}.{field}", getattr(part, field)
            if np.any(np.asarray(cost) > 0):
                entries[name] = entries.get(name, 0.0) + cost
    return entries
