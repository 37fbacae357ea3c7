"""What a design is compared with beside the ratios of its row: absolute costs of every baseline on the design's own hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from dse.cost.cost import Costed, charge, lay_out_separately
from dse.cost.counts import count, count_bits
from dse.cost.metrics import describe
from dse.cost.own_baseline import PAPER, OwnBaseline, Scheme
from dse.cost.sum import Costs
from dse.errors import PluginContractError
from dse.plugins.call import call_plugin
from dse.plugins.contract import HardwareWithLevels
from dse.records.arrays import Bools, Floats
from dse.records.footprint import Footprint
from dse.records.layout import Layout
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.scored import BaselineCosts

TILES, DIGITAL_UNITS = "tiles", "digital_units"
"""Names of hardware parameters that state the tiles of a chip, and its digital units; 0: as many as are needed."""


class Comparisons:
    """Costs of baselines beside designs on one hardware model.

    Args:
        own: baselines on the hardware model, whose values of hardware parameters hold here too.
    """

    def __init__(self, own: OwnBaseline) -> None:
        self._workload, self._name, self._hardware, self._stated = own.workload, own.name, own.hardware, own.stated

    def cost(self, costed: Costed, params: Params, best: Scheme, throughput_rps: Floats) -> list[BaselineCosts]:
        """Return the cost of each baseline by column, by the baseline's name, for each of P designs.

        ``paper`` and ``best`` are separate models on arrays. ``digital`` has the design's codes, and ``digital-best`` those
        of ``best``, in SRAM, with as many digital units as reach the design's throughput. ``time-shared`` stands beside a
        design that writes: the arrays of the largest model of ``best``, written at each visit. A baseline that the hardware
        model refuses to cost is left out.

        Args:
            costed: cost of the designs.
            params: hardware parameters of the designs.
            best: bits of the baseline ``best``.
            throughput_rps: (P,) requests per second of the designs; not a number where the hardware model does not say.
        """
        stored, resident = costed.layout, self._make_resident(params, best)
        paper, fewest = (
            lay_out_separately(self._workload, params.points, bits.magnitude_bits) for bits in (PAPER, best)
        )
        everywhere, served = np.ones(params.points, dtype=bool), np.isfinite(throughput_rps)
        own_codes = served & (stored.footprint.reprogrammed is None)
        makers: dict[str, tuple[Bools, Callable[[], Costs]]] = {
            "paper": (everywhere, lambda: self._charge(paper, self._make_resident(params, PAPER))),
            "best": (everywhere, lambda: self._charge(fewest, resident)),
            "digital": (own_codes, lambda: self._size(store_digitally(stored), params, throughput_rps)),
            "digital-best": (served, lambda: self._size(store_digitally(fewest), resident, throughput_rps)),
        }
        writes = costed.costs.switch_us.sum(axis=1) > 0
        if TILES in params and isinstance(self._hardware, HardwareWithLevels):
            makers["time-shared"] = writes, lambda: self._share_time(fewest, resident, writes)
        beside: list[BaselineCosts] = [{} for _ in range(params.points)]
        for name, (here, make) in makers.items():
            with suppress(PluginContractError):
                rows = describe(make()) if here.any() else ()
                for point in np.flatnonzero(here):
                    beside[point][name] = rows[point]
        return beside

    def _make_resident(self, params: Params, scheme: Scheme) -> Params:
        """Return the designs' hardware with the values that baselines take, and the scheme's input bits."""
        return _with(params, {**self._stated, INPUT_BITS.name: scheme.input_bits})

    def _size(self, stored: Layout, params: Params, throughput_rps: Floats) -> Costs:
        """Cost codes in SRAM with as many digital units, side by side, as reach a throughput."""
        params = _with(params, {TILES: 0})
        costs = self._charge(stored, params)
        if costs.capacity is None:
            return costs
        units = np.ceil(np.nan_to_num(costs.capacity.digital_us * throughput_rps * 1e-6)).astype(int)
        return self._charge(stored, _with(params, {DIGITAL_UNITS: units}))

    def _share_time(self, stored: Layout, params: Params, writes: Bools) -> Costs:
        """Cost a chip that holds the largest model alone, beside designs that write."""
        assert isinstance(self._hardware, HardwareWithLevels)
        geometry = call_plugin("hardware", self._name, self._hardware.geometry, params)
        arrays = count(self._workload, *stored, geometry).arrays.sum(axis=2).max(axis=1)
        tiles = np.array(params[TILES], dtype=int)
        for point in np.flatnonzero(writes):
            one = Params(1, {name: values[[point]] for name, values in params.items()})
            levels = call_plugin("hardware", self._name, self._hardware.levels, int(arrays[point]), one)
            tiles[point] = np.ceil(arrays[point] / levels["tile"])
        return self._charge(stored, _with(params, {TILES: tiles}))

    def _charge(self, layout: Layout, params: Params) -> Costs:
        return charge(self._workload, self._hardware, self._name, params, layout)[0]


def store_digitally(layout: Layout) -> Layout:
    """Return the layout with all codes in SRAM, sign and magnitude, and multiplied in the digital units."""
    footprint: Footprint = layout.footprint
    pieces = tuple(replace(piece, digital=True) for piece in footprint.pieces)
    return Layout(layout.demand, replace(footprint, pieces=pieces, digital_bits=count_bits(footprint)))


def _with(params: Params, changes: Mapping[str, Any]) -> Params:
    """Return the parameters with other values of those that exist, one for all designs or one for each."""
    own = {name: np.broadcast_to(value, params.points) for name, value in changes.items() if name in params}
    return Params(params.points, {**params, **own})
