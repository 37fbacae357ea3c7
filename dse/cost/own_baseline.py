"""Baselines on each design's own hardware: what ratios divide by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dse.cost.cost import separate_cost
from dse.plugins.contract import Hardware
from dse.plugins.declared import declare_parameters, is_given_input_bits
from dse.records.arrays import Floats
from dse.records.parameters import INPUT_BITS
from dse.records.params import Params
from dse.records.plugin import API
from dse.records.workload import Workload

TOTALS = ("area_mm2", "array_area_mm2", "energy_uj", "latency_us", "throughput_rps", "dynamic_uj", "static_slope_uj")
"""Costs of a baseline that ratios divide by, and those that a break-even asks for."""


FEW = 512
"""Largest number of designs whose baselines are costed in one call although the designs are not."""


class Scheme(NamedTuple):
    """Bits of separate models: magnitude bits on a grid per output, and input bits."""

    magnitude_bits: int | None
    input_bits: int


PAPER = Scheme(None, 8)
"""The baseline ``paper``, that of the three papers: 8 bits on one grid per matrix."""


class OwnBaseline:
    """Costs of separate models on the hardware of designs, each hardware costed once.

    A baseline takes the design's hardware parameters, except those that state a value for baselines
    (`dse.Int.baseline`), such as the number of tiles: its weights are all resident. Limits that it breaks do not count.

    Args:
        workload: the tasks and their traffic.
        name: name of the hardware model, for errors.
        hardware: the built hardware model.
        api: contract of the hardware model; input bits of contract 1 are the model's own.

    Attributes:
        workload: tasks and traffic.
        name: name of the hardware model.
        hardware: the built hardware model.
        stated: values of hardware parameters that baselines take, whatever the design's are.
    """

    def __init__(self, workload: Workload, name: str, hardware: Hardware, api: int = API) -> None:
        self.workload, self.name, self.hardware = workload, name, hardware
        declared = declare_parameters("hardware", name, hardware, workload, api)
        self.stated = {item.name: item.baseline for item in declared if item.baseline is not None}
        self._of_design = is_given_input_bits("hardware", api)
        self._totals: dict[tuple[Scheme, tuple[object, ...]], list[float]] = {}

    def cost_together(self, parts: Sequence[Params], schemes: Mapping[str, Scheme]) -> None:
        """Cost the baselines of a few designs of several combinations in one call, so that `cost` knows them."""
        points = sum(part.points for part in parts)
        if len(parts) > 1 and points <= FEW:
            joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            for scheme in schemes.values():
                self.cost(Params(points, joined), scheme)

    def cost(self, params: Params, scheme: Scheme = PAPER) -> dict[str, Floats]:
        """Return each of `TOTALS`, (P,), for the hardware parameters of P designs."""
        stated = self.stated | ({INPUT_BITS.name: scheme.input_bits} if self._of_design else {})
        one = all((values == values[:1]).all() for values in params.values())
        rows = range(1 if one else params.points)
        chosen = {name: values for name, values in params.items() if name not in stated}
        columns = [_hash_rows(values[: len(rows)]) for values in chosen.values()]
        keys = [(scheme, key) for key in zip(*columns, strict=True)] if columns else [(scheme, ())] * len(rows)
        missing = {key: row for row, key in zip(rows, keys, strict=True) if key not in self._totals}
        if missing:
            at = list(missing.values())
            values = {name: values[at] for name, values in chosen.items()}
            values |= {name: np.full(len(at), value) for name, value in stated.items()}
            own = Params(len(at), values)
            costs, _ = separate_cost(self.workload, self.hardware, self.name, own, scheme.magnitude_bits)
            table = np.stack([costs.find(name) for name in TOTALS], axis=1).tolist()
            self._totals.update(zip(missing, table, strict=True))
        totals = np.broadcast_to([self._totals[key] for key in keys], (params.points, len(TOTALS)))
        return dict(zip(TOTALS, totals.T, strict=True))


def _hash_rows(values: NDArray[Any]) -> list[object]:
    """Return something hashable for each row, which does not depend on the other rows, as the width of texts does."""
    return values.tolist() if values.ndim == 1 else [row.tobytes() for row in values]
