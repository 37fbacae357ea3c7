"""The baseline on each design's own hardware: what ratios divide by."""

from __future__ import annotations

import numpy as np

from dse.cost.cost import separate_cost
from dse.plugins.contract import Hardware
from dse.plugins.declared import declare_parameters
from dse.records.arrays import Floats
from dse.records.params import Params
from dse.records.workload import Workload

TOTALS = ("area_mm2", "array_area_mm2", "energy_uj", "latency_us")
"""Costs of the baseline that ratios divide by."""


class OwnBaseline:
    """Costs of separate models on the hardware of designs, each hardware costed once.

    The baseline takes the design's hardware parameters, but for those that state a value for baselines
    (`dse.Int.baseline`), such as the number of tiles: its weights are all resident. Limits that it breaks do not count.

    Args:
        workload: the tasks and their traffic.
        name: name of the hardware model, for errors.
        hardware: the built hardware model.
    """

    def __init__(self, workload: Workload, name: str, hardware: Hardware) -> None:
        self._workload, self._name, self._hardware = workload, name, hardware
        declared = declare_parameters("hardware", name, hardware, workload)
        self._stated = {item.name: item.baseline for item in declared if item.baseline is not None}
        self._totals: dict[tuple[bytes, ...], list[float]] = {}

    def cost(self, params: Params) -> dict[str, Floats]:
        """Return each of `TOTALS`, (P,), for the hardware parameters of P designs."""
        one = all((values == values[:1]).all() for values in params.values())
        rows = range(1 if one else params.points)
        chosen = {name: values for name, values in params.items() if name not in self._stated}
        keys = [tuple(values[row].tobytes() for values in chosen.values()) for row in rows]
        missing = {key: row for row, key in zip(rows, keys, strict=True) if key not in self._totals}
        if missing:
            at = list(missing.values())
            values = {name: values[at] for name, values in chosen.items()}
            values |= {name: np.full(len(at), value) for name, value in self._stated.items()}
            costs = separate_cost(self._workload, self._hardware, self._name, Params(len(at), values))[0]
            table = np.stack([getattr(costs, name) for name in TOTALS], axis=1).tolist()
            self._totals.update(zip(missing, table, strict=True))
        totals = np.broadcast_to([self._totals[key] for key in keys], (params.points, len(TOTALS)))
        return dict(zip(TOTALS, totals.T, strict=True))
