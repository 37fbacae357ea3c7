"""What a design is compared with beside the ratios of its row: absolute costs of every baseline on the design's own hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from dse.cost.cost import Costed, Layout, charge, lay_out_separately
from dse.cost.counts import bit_length, count
from dse.cost.metrics import describe
from dse.cost.own_baseline import PAPER, OwnBaseline, Scheme
from dse.errors import PluginContractError
from dse.plugins.call import call_plugin
from dse.plugins.contract import HardwareWithLevels
from dse.records.footprint import Footprint
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params

TILES, DIGITAL_UNITS = "tiles", "digital_units"
"""Names of hardware parameters that state the tiles of a chip, and its digital units; 0: as many as are needed."""
Columns = dict[str, float | None]


class _Chip(NamedTuple):
    """Cost of a baseline by column, with the time of its digital work on one unit and the number of its units."""

    columns: Columns
    digital_us: float = np.nan
    units: float = 0.0


class Comparisons:
    """Costs of baselines beside designs on one hardware model; what depends on hardware alone is costed once.

    Args:
        own: baselines on the hardware model, whose values of hardware parameters hold here too.
    """

    def __init__(self, own: OwnBaseline) -> None:
        self._workload, self._name, self._hardware, self._stated = own.workload, own.name, own.hardware, own.stated
        self._known: dict[tuple[Any, ...], _Chip] = {}

    def cost(self, costed: Costed, params: Params, best: Scheme) -> dict[str, Columns]:
        """Return each baseline's cost by column, by the baseline's name.

        ``paper`` and ``best`` are separate models on arrays. ``digital`` has the design's codes, and ``digital-best`` those
        of ``best``, in SRAM, with as many digital units as reach the design's throughput. ``time-shared`` stands beside a
        design that writes: the arrays of the largest model of ``best``, written at each visit. A baseline that the hardware
        model refuses to cost is left out: the design itself has been measured.

        Args:
            costed: cost of the design (P = 1).
            params: hardware parameters of the design.
            best: bits of the baseline ``best``.
        """
        costs, stored = costed.costs, costed.layout
        resident = self._make_resident(params, best)
        makers: dict[str, Callable[[], _Chip]] = {
            "paper": lambda: self._separate(PAPER, self._make_resident(params, PAPER)),
            "best": lambda: self._separate(best, resident),
        }
        throughput_rps = float(costs.find("throughput_rps")[0])
        if np.isfinite(throughput_rps):
            if stored.footprint.reprogrammed is None:
                own = store_digitally(stored)
                makers["digital"] = lambda: _size(lambda given: self._charge(own, given), params, throughput_rps)
            makers["digital-best"] = lambda: _size(
                lambda given: self._separate(best, given, digital=True), resident, throughput_rps
            )
        if (costs.switch_us > 0).any() and TILES in params and isinstance(self._hardware, HardwareWithLevels):
            makers["time-shared"] = lambda: self._separate(best, self._make_small(resident, best))
        chips: dict[str, Columns] = {}
        for name, make in makers.items():
            with suppress(PluginContractError):
                chips[name] = make().columns
        return chips

    def _make_resident(self, params: Params, scheme: Scheme) -> Params:
        """Return a design's hardware with the values that baselines take, and the scheme's input bits."""
        return _with(params, {**self._stated, INPUT_BITS.name: scheme.input_bits})

    def _make_small(self, params: Params, scheme: Scheme) -> Params:
        """Return the hardware with as many tiles as the largest model takes."""
        layout = lay_out_separately(self._workload, 1, scheme.magnitude_bits)
        geometry = call_plugin("hardware", self._name, self._hardware.geometry, params)
        arrays = count(self._workload, *layout, geometry).arrays.sum(axis=2).max()
        assert isinstance(self._hardware, HardwareWithLevels)
        levels = call_plugin("hardware", self._name, self._hardware.levels, int(arrays), params)
        return _with(params, {TILES: int(np.ceil(arrays / levels["tile"]))})

    def _separate(self, scheme: Scheme, params: Params, *, digital: bool = False) -> _Chip:
        key = (scheme, digital, *(values.tobytes() for values in params.values()))
        if key not in self._known:
            layout = lay_out_separately(self._workload, 1, scheme.magnitude_bits)
            self._known[key] = self._charge(store_digitally(layout) if digital else layout, params)
        return self._known[key]

    def _charge(self, layout: Layout, params: Params) -> _Chip:
        costs, _ = charge(self._workload, self._hardware, self._name, params, layout)
        (columns,), capacity = describe(costs), costs.capacity
        if capacity is None:
            return _Chip(columns)
        return _Chip(columns, float(capacity.digital_us[0]), float(capacity.occupancy.digital_units[0]))


def store_digitally(layout: Layout) -> Layout:
    """Return the layout with all codes in SRAM, sign and magnitude, and multiplied in the digital units."""
    footprint: Footprint = layout.footprint
    bits = np.asarray(footprint.digital_bits, dtype=float)
    for piece in footprint.pieces:
        if not piece.digital:  # the compressor counts the bits of its digital codes
            width = bit_length(piece.magnitude) + (not piece.unsigned)
            bits = bits + np.where(piece.magnitude > 0, piece.rows * piece.columns * width, 0.0)
    pieces = tuple(replace(piece, digital=True) for piece in footprint.pieces)
    return Layout(layout.demand, replace(footprint, pieces=pieces, digital_bits=bits))


def _size(charge_with: Callable[[Params], _Chip], params: Params, throughput_rps: float) -> _Chip:
    """Return the chip whose digital units, side by side, reach a throughput."""
    params = _with(params, {TILES: 0})
    chip = charge_with(params)
    units = np.ceil(chip.digital_us * throughput_rps * 1e-6)
    return charge_with(_with(params, {DIGITAL_UNITS: int(units)})) if units > chip.units else chip


def _with(params: Params, changes: Mapping[str, Any]) -> Params:
    """Return the parameters with other values of those that exist."""
    return Params(1, {**params, **{name: np.array([value]) for name, value in changes.items() if name in params}})
