"""Occupancy and power: what a pass keeps busy, and what is powered meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dse.records.arrays import Floats

Gating: TypeAlias = Literal["perfect", "tile", "none"]
"""When idle components are off: at once; once a layer's last vector has left its tiles; never."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """What a pass keeps busy, which bounds the requests per second.

    Attributes:
        arrays_us: (P, T, L) time for which a pass of each task's layer keeps its arrays from the next pass.
        digital_us: (P, T, L) time for which all digital units work on it, a part of ``Components.latency_us``.
        replicas: (P, 3) copies of the arrays of the base, of each group, and of each task.
        digital_units: (P,) number of digital units.
        resize: area (P,) with other replicas (P, 3) and at least so many digital units (P,).
    """

    arrays_us: Floats
    digital_us: Floats
    replicas: Floats
    digital_units: Floats
    resize: Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True)
class Power:
    """Peak power, of which a share is drawn without work, as long as a component is on.

    The last axis of the arrays (P, 2) holds converters, then everything else.

    Attributes:
        chip_w: (P, 2) peak power of the chip.
        tile_w: (P, 2) peak power of a tile.
        rest_w: (P, 2) peak power of what works in every pass beside tiles.
        tiles: (P, T, L) number of tiles that work on a pass of each task's layer.
        on_us: (P, T, L) time from the first to the last vector of such a pass.
        links_w: (P,) power that links between dies always draw.
        shares: share of the peak power of converters, and of everything else, that is static.
        gating: when idle components are off.
    """

    chip_w: Floats
    tile_w: Floats
    rest_w: Floats
    tiles: Floats
    on_us: Floats
    links_w: Floats
    shares: tuple[float, float]
    gating: Gating
