"""Checked cells of a result row, made from costs and scores."""

from __future__ import annotations

import math
from typing import Any

from dse.errors import PluginContractError
from dse.records.scored import CostResult, ScoreResult
from dse.results.columns import COST_NAMES, SCORE_NAMES

TOLERANCE = 1e-6
"""Relative difference allowed between a total and the sum of its components."""


def cost_cells(cost: CostResult) -> dict[str, Any]:
    """Return the cells of a cost, and check that numbers are finite and components sum to their totals.

    Raises:
        PluginContractError: a metric is unknown, a number is not finite, or components do not sum to their total.
    """
    for name, value in cost.metrics.items():
        if name not in COST_NAMES:
            raise PluginContractError(f"the cost has an unknown metric {name!r}", expected=", ".join(COST_NAMES))
        if value is not None:
            _check_finite(name, value)
    for total, parts in (("area_mm2", cost.area), ("energy_uj", cost.energy)):
        for name, value in parts.items():
            _check_finite(f"{total} of {name}", value)
        whole = cost.metrics.get(total)
        if whole is not None and abs(sum(parts.values()) - whole) > TOLERANCE * max(abs(whole), TOLERANCE):
            raise PluginContractError(
                f"the components of {total} do not sum to it", expected=whole, found=sum(parts.values())
            )
    return {
        **{name: None if value is None else float(value) for name, value in cost.metrics.items()},
        **{f"area.{name}": float(value) for name, value in cost.area.items()},
        **{f"energy.{name}": float(value) for name, value in cost.energy.items()},
        "order": list(cost.order),
        "visit_us": [float(value) for value in cost.visit_us],
        "switch_us": [float(value) for value in cost.switch_us],
    }


def score_cells(score: ScoreResult) -> dict[str, Any]:
    """Return the cells of a score, and check that its numbers are finite.

    Raises:
        PluginContractError: a metric is unknown, or a number is not finite.
    """
    for name, value in score.metrics.items():
        if name not in SCORE_NAMES:
            raise PluginContractError(f"the score has an unknown metric {name!r}", expected=", ".join(SCORE_NAMES))
        _check_finite(name, value)
    for name, value in score.tasks.items():
        _check_finite(f"score of {name}", value)
    return {
        **{name: float(value) for name, value in score.metrics.items()},
        **{f"score.{name}": float(value) for name, value in score.tasks.items()},
        **{f"score_spread.{name}": float(value) for name, value in score.spread.items()},
        "flagged_tasks": list(score.flagged),
        "evaluated_tasks": int(score.evaluated),
        "layers_run": score.layers_run,
        "draws": score.draws,
        "adc_rows": score.adc_rows,
    }


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise PluginContractError(f"{name} is not a finite number", expected="a finite number", found=value)
