"""Static energy: what components draw without work, under the gating of a hardware model."""

from __future__ import annotations

import numpy as np

from dse.records.arrays import Floats
from dse.records.occupancy import Power

RETENTION = 0.01
"""Share of static power that a gated tile draws to keep its state; ours."""
WAKE_UP_US = 1.0
"""Time at peak power that a tile takes to wake up; ours."""
REST = 0.1
"""Static share of everything else, by that of converters, where a break-even is looked for."""


def charge_static(power: Power | None, runs: Floats, requests_per_s: float) -> dict[str, Floats]:
    """Return static energy per request and mean power under the model's gating, and the terms of a break-even.

    Args:
        power: peak power and gating of P designs; None: nothing is charged, and the rest is not a number.
        runs: (P, T, L) passes of each task's layer in one request.
        requests_per_s: arrival rate; between requests tiles are off or idle, whichever the gating says.

    Returns:
        ``static_uj``: static energy per request; ``static_w``: mean over time, links included; ``wake_uj``: energy of
        waking up under gating by tiles; ``static_slope_uj``: static energy under it for a static share of 1 of converters and
        `REST` of everything else. Each (P,).
    """
    if power is None:
        nothing = np.full(len(runs), np.nan)
        return {"static_uj": np.zeros(len(runs)), **dict.fromkeys(("static_w", "wake_uj", "static_slope_uj"), nothing)}
    second_us = 1e6
    shares = np.array(power.shares)
    on_us = runs * power.on_us
    active = _sum(on_us * power.tiles) * power.tile_w + _sum(on_us) * power.rest_w
    asleep = RETENTION * power.chip_w * second_us / requests_per_s
    wake = WAKE_UP_US * (_sum(runs * power.tiles) * power.tile_w + _sum(runs) * power.rest_w).sum(axis=1)
    by_tile = (active + asleep) @ shares + wake
    always = power.chip_w @ shares * second_us / requests_per_s
    static = {"perfect": np.zeros(len(wake)), "tile": by_tile, "none": always}[power.gating]
    links = power.links_w if power.gating != "perfect" else 0.0
    return {
        "static_uj": static,
        "static_w": static * requests_per_s / second_us + links,
        "wake_uj": wake,
        "static_slope_uj": (active + asleep) @ np.array([1.0, REST]),
    }


def _sum(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=(1, 2))[:, None])


def break_even(energy_uj: Floats, static_slope_uj: Floats, other_uj: Floats, other_static_slope_uj: Floats) -> Floats:
    """Return the static share of converters at which two designs take equal energy, (P,); not a number outside (0, 1].

    Args:
        energy_uj: (P,) energy without static energy, waking up included.
        static_slope_uj: (P,) static energy at a share of 1.
        other_uj: (P,) the same of the other design.
        other_static_slope_uj: (P,) the same of the other design.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (other_uj - energy_uj) / (static_slope_uj - other_static_slope_uj)
    return np.where((share > 0) & (share <= 1), share, np.nan)
