"""Costs of designs as a search sees them: metrics by name, and ratios to the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dse.cost.cost import Costed
from dse.cost.static import break_even
from dse.cost.sum import Costs
from dse.records.arrays import Floats
from dse.records.scored import CostResult

_RATIOS = {"area": "area_mm2", "array_area": "array_area_mm2", "energy": "energy_uj", "latency": "latency_us"}
"""Costs that are divided by the baseline's, by the beginning of the ratio's name."""
_FIRST, _LAST = ("area_mm2", "energy_uj", "latency_us", "cycle_us"), ("offchip_mb", "writes", "lifetime_years")
"""Absolute costs before and after the ratios."""
_MAY_BE_EMPTY = ("lifetime_years", "throughput_ratio", "area_ratio_iso", "static_break_even")
"""Beginnings of columns that stay empty where nothing is written, no share fits, or a hardware model does not say."""


@dataclass(frozen=True, slots=True)
class CostTable:
    """Costs of P designs by column, (P,) each; not finite where a value that may be missing is missing."""

    metrics: Mapping[str, Floats]
    costed: Costed

    def may_be_empty(self, name: str) -> bool:
        """Return whether a metric may be missing."""
        return name in self.costed.costs.service or name.startswith(_MAY_BE_EMPTY)


def cost_table(costed: Costed, own: Mapping[str, Mapping[str, Floats]], reference: Costs) -> CostTable:
    """Return the costs of P designs, with their ratios to the baselines.

    Args:
        costed: cost of P designs.
        own: costs of each baseline on each design's own hardware, each (P,), by name, by the suffix of its columns.
        reference: cost of the baseline on the reference hardware (P = 1).
    """
    costs = costed.costs
    paper = own[""]
    columns = {
        **{name: costs.find(name) for name in _FIRST},
        **{
            f"{name}_ratio{suffix}": getattr(costs, cost) / one[cost]
            for suffix, one in own.items()
            for name, cost in _RATIOS.items()
        },
        **{
            f"{name}_ratio_reference": getattr(costs, cost) / getattr(reference, cost) for name, cost in _RATIOS.items()
        },
        **{
            f"throughput_ratio{suffix}": costs.service["throughput_rps"] / one["throughput_rps"]
            for suffix, one in own.items()
        },
        "area_ratio_iso": _area_at(costs, paper["throughput_rps"]) / paper["area_mm2"],
        **{
            f"static_break_even{suffix}": break_even(
                costs.dynamic_uj, costs.static_slope_uj, one["dynamic_uj"], one["static_slope_uj"]
            )
            for suffix, one in own.items()
        },
        **costs.service,
        **{name: costs.find(name) for name in _LAST},
    }
    return CostTable(columns, costed)


def cost_results(table: CostTable, tasks: Sequence[str]) -> list[CostResult]:
    """Return the cost of each of P designs.

    Args:
        table: costs by column.
        tasks: names of the tasks, in order.
    """
    costed, costs = table.costed, table.costed.costs
    rows = _empty(table.metrics, costs)
    areas, energies, orders = costs.area.tolist(), costs.energy.tolist(), costs.order.tolist()
    visits, switches = costs.visit_us.tolist(), costs.switch_us.tolist()
    return [
        CostResult(
            metrics=row,
            area=dict(zip(costs.names, areas[index], strict=True)),
            energy=dict(zip(costs.names, energies[index], strict=True)),
            violations=costed.reasons[index],
            violation=float(costed.violation[index]),
            order=tuple(tasks[task] for task in orders[index]),
            visit_us=tuple(visits[index]),
            switch_us=tuple(switches[index]),
        )
        for index, row in enumerate(rows)
    ]


def describe(costs: Costs) -> list[dict[str, float | None]]:
    """Return the columns of P designs that need no baseline."""
    columns = {name: costs.find(name) for name in (*_FIRST, "array_area_mm2", *costs.service, *_LAST)}
    return _empty(columns, costs)


def _empty(columns: Mapping[str, Floats], costs: Costs) -> list[dict[str, float | None]]:
    """Return the cells of each design, empty where a value that may be missing is not a number."""
    table = np.stack(list(columns.values()), axis=1)
    may_be_empty = [name in costs.service or name.startswith(_MAY_BE_EMPTY) for name in columns]
    cells = table.astype(object)
    cells[~np.isfinite(table) & may_be_empty] = None
    return [dict(zip(columns, row, strict=True)) for row in cells.tolist()]


def _area_at(costs: Costs, throughput_rps: Floats) -> Floats:
    """Return the area (P,) of the designs with the replicas that reach a throughput; not a number where none reach it."""
    if costs.capacity is None:
        return np.full(len(costs.area_mm2), np.nan)
    slower, writes = costs.service["throughput_rps"] < throughput_rps, costs.switch_us.sum(axis=1) > 0
    larger = np.where(writes, np.nan, costs.capacity.area_at(1e6 / throughput_rps))
    return np.where(slower, larger, costs.area_mm2)
