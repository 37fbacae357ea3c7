"""Cells of the built-in cell models, for tests without a study."""

from __future__ import annotations

from typing import Any

import dse
from dse.score.cells import Cells
from dse.score.device import Device, find_device

REGISTRY = dse.Registry().discover()


def wan22(*, cell_draws: Any = "cells", **options: Any) -> dse.Nonideality:
    """Cells of `wan22`, drawn one by one, without stuck ones unless options say so."""
    stuck = {"stuck_on": 0.0, "stuck_off": 0.0}
    return dse.Nonideality(cell_model="wan22", cell_draws=cell_draws, cell_options=stuck | options)


def lognormal(*, cell_draws: Any = "cells", **options: Any) -> dse.Nonideality:
    """Cells of `lognormal`, drawn one by one."""
    return dse.Nonideality(cell_model="lognormal", cell_draws=cell_draws, cell_options=options)


def stuck(**options: float) -> dse.Nonideality:
    """Cells that are exact, or stuck."""
    return lognormal(sigma=0.0, **options)


def device_of(what: dse.Nonideality) -> Device:
    """Return the device that options name."""
    device = find_device(REGISTRY, what)
    assert device is not None
    return device


def cells_of(what: dse.Nonideality, chip: dse.Geometry, draw: int = 0) -> Cells:
    """Return the cells of a chip."""
    return Cells(what, chip, draw, find_device(REGISTRY, what))
