"""What a design is compared with beside the ratios of its row: absolute costs of every baseline on the design's own hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dse.cost.baseline import separate_models, whole_footprint
from dse.cost.cost import Built, Layout, cost_points
from dse.cost.counts import FULL_MAGNITUDE, bit_length, count
from dse.cost.demand import demand
from dse.cost.metrics import describe
from dse.cost.own_baseline import PAPER, Scheme
from dse.cost.schedule import listed_order
from dse.cost.sum import Costs, total
from dse.plugins.call import call_plugin
from dse.plugins.contract import HardwareWithLevels
from dse.records.arrays import Floats
from dse.records.footprint import Footprint
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plugin import Kind
from dse.records.workload import Workload

TILES, DIGITAL_UNITS = "tiles", "digital_units"
"""Names of hardware parameters that state the tiles of a chip, and its digital units; 0: as many as are needed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Costs of the baselines of one design.

    Args:
        workload: tasks and traffic.
        built: the design's plugins.
        params: the design's parameters, P = 1.
        best: bits of the baseline ``best``.
        stated: values of hardware parameters that baselines take, see `dse.Int.baseline`.
    """

    workload: Workload
    built: Built
    params: Mapping[Kind, Params]
    best: Scheme
    stated: Mapping[str, Any]

    def cost(self) -> dict[str, dict[str, float | None]]:
        """Return each baseline's cost by column, by the baseline's name.

        ``paper`` and ``best`` are separate models on arrays. ``digital`` has the design's codes, and ``digital-best`` those
        of ``best``, in SRAM, with as many digital units as reach the design's throughput. ``time-shared`` stands beside a
        design that writes: the arrays of the largest model of ``best``, written at each visit.
        """
        costed = cost_points(self.workload, self.built, self.params)
        layout, own = costed.layout, costed.costs
        best = self._separate(self.best)
        chips = {
            "paper": self._charge(self._separate(PAPER), self._resident(PAPER)),
            "best": self._charge(best, self._resident(self.best)),
        }
        throughput = own.find("throughput_rps")
        if np.isfinite(throughput).all():
            if layout.footprint.reprogrammed is None:
                chips["digital"] = self._digital(layout, self.params["hardware"], throughput)
            chips["digital-best"] = self._digital(best, self._resident(self.best), throughput)
        if (own.switch_us > 0).any() and (shared := self._time_shared(best)) is not None:
            chips["time-shared"] = shared
        return {name: describe(costs)[0] for name, costs in chips.items()}

    def _resident(self, scheme: Scheme) -> Params:
        """Return the design's hardware with the values that baselines take, and the scheme's input bits."""
        return _with(self.params["hardware"], {**self.stated, INPUT_BITS.name: scheme.input_bits})

    def _separate(self, scheme: Scheme) -> Layout:
        wanted = demand(self.workload, separate_models(self.workload, 1), generator="baseline")
        bits = scheme.magnitude_bits
        footprint = whole_footprint(wanted, 2.0**bits - 1 if bits else FULL_MAGNITUDE, per_output=bool(bits))
        return Layout(wanted, footprint)

    def _digital(self, layout: Layout, params: Params, throughput_rps: Floats) -> Costs:
        """Cost the codes in SRAM; units that work side by side serve as many requests as the design."""
        stored = Layout(layout.demand, store_digitally(layout.footprint))
        params = _with(params, {TILES: 0})
        one = self._charge(stored, params)
        if one.capacity is None or DIGITAL_UNITS not in params:
            return one
        units = np.ceil(one.capacity.digital_us * throughput_rps * 1e-6)
        return self._charge(stored, _with(params, {DIGITAL_UNITS: int(units[0])}))

    def _time_shared(self, best: Layout) -> Costs | None:
        """Cost a chip that holds one model at a time; None where the hardware does not say how many arrays a tile has."""
        params, hardware, name = self._resident(self.best), self.built.hardware, self.built.names[3]
        if TILES not in params or not isinstance(hardware, HardwareWithLevels):
            return None
        geometry = call_plugin("hardware", name, hardware.geometry, params)
        arrays = count(self.workload, best.demand, best.footprint, geometry).arrays.sum(axis=2).max()
        levels = call_plugin("hardware", name, hardware.levels, int(arrays), params)
        return self._charge(best, _with(params, {TILES: int(np.ceil(arrays / levels["tile"]))}))

    def _charge(self, layout: Layout, params: Params) -> Costs:
        hardware, name = self.built.hardware, self.built.names[3]
        geometry = call_plugin("hardware", name, hardware.geometry, params)
        wanted, footprint = layout
        counts = count(self.workload, wanted, footprint, geometry)
        made = call_plugin("hardware", name, hardware.components, self.workload, wanted, counts, footprint, params)
        order = listed_order(self.workload, 1)
        return total(self.workload, wanted, made, order, who=f"hardware {name!r}", footprint=footprint)


def store_digitally(footprint: Footprint) -> Footprint:
    """Return the footprint with all codes in SRAM, sign and magnitude, and multiplied in the digital unit."""
    bits = np.asarray(footprint.digital_bits, dtype=float)
    for piece in footprint.pieces:
        if not piece.digital:  # the compressor counts the bits of its digital codes
            width = bit_length(piece.magnitude) + (not piece.unsigned)
            bits = bits + np.where(piece.magnitude > 0, piece.rows * piece.columns * width, 0.0)
    pieces = tuple(replace(piece, digital=True) for piece in footprint.pieces)
    return replace(footprint, pieces=pieces, digital_bits=bits)


def _with(params: Params, changes: Mapping[str, Any]) -> Params:
    """Return the parameters with other values of those that exist."""
    return Params(1, {**params, **{name: np.array([value]) for name, value in changes.items() if name in params}})
