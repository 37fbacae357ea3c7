"""Costs of designs as a search sees them: metrics by name, and ratios to the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dse.cost.cost import Costed
from dse.cost.sum import Costs
from dse.records.arrays import Floats
from dse.records.scored import CostResult

_RATIOS = {"area": "area_mm2", "array_area": "array_area_mm2", "energy": "energy_uj", "latency": "latency_us"}
"""Costs that are divided by the baseline's, by the beginning of the ratio's name."""


def cost_results(
    costed: Costed, own: Mapping[str, Mapping[str, Floats]], reference: Costs, tasks: Sequence[str]
) -> list[CostResult]:
    """Return the cost of each of P designs, with its ratios to the baseline.

    Args:
        costed: cost of P designs.
        own: costs of each baseline on each design's own hardware, each (P,), by name, by the suffix of its columns.
        reference: cost of the baseline on the reference hardware (P = 1).
        tasks: names of the tasks, in order.
    """
    costs = costed.costs
    life = [float(value) if np.isfinite(value) else None for value in costs.lifetime_years]
    columns = {
        "area_mm2": costs.area_mm2,
        "energy_uj": costs.energy_uj,
        "latency_us": costs.latency_us,
        "cycle_us": costs.cycle_us,
        **{
            f"{name}_ratio{suffix}": getattr(costs, cost) / one[cost]
            for suffix, one in own.items()
            for name, cost in _RATIOS.items()
        },
        **{
            f"{name}_ratio_reference": getattr(costs, cost) / getattr(reference, cost) for name, cost in _RATIOS.items()
        },
        "offchip_mb": costs.offchip_mb,
        "writes": costs.writes,
    }
    rows = np.stack(list(columns.values()), axis=1).tolist()
    areas, energies, orders = costs.area.tolist(), costs.energy.tolist(), costs.order.tolist()
    visits, switches = costs.visit_us.tolist(), costs.switch_us.tolist()
    return [
        CostResult(
            metrics={**dict(zip(columns, row, strict=True)), "lifetime_years": life[index]},
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
