"""Checked cells of a result row, made from costs and scores."""

import math
from collections.abc import Iterable, Mapping, Sequence
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
    _refuse_unknown("cost", cost.metrics, COST_NAMES)
    cells = {**_floats("", cost.metrics), **_floats("area.", cost.area), **_floats("energy.", cost.energy)}
    for total, parts in (("area_mm2", cost.area), ("energy_uj", cost.energy)):
        whole = cost.metrics.get(total)
        if whole is not None and abs(sum(parts.values()) - whole) > TOLERANCE * max(abs(whole), TOLERANCE):
            raise PluginContractError(
                f"the components of {total} do not sum to it", expected=whole, found=sum(parts.values())
            )
    return {
        **cells,
        "order": list(cost.order),
        "visit_us": [float(value) for value in cost.visit_us],
        "switch_us": [float(value) for value in cost.switch_us],
    }


def score_cells(score: ScoreResult) -> dict[str, Any]:
    """Return the cells of a score, and check that its numbers are finite.

    Raises:
        PluginContractError: a metric is unknown, or a number is not finite.
    """
    _refuse_unknown("score", score.metrics, SCORE_NAMES)
    return {
        **_floats("", score.metrics),
        **_floats("score.", score.tasks),
        **_floats("score_spread.", score.spread),
        **_floats("accuracy_drop_low.", score.drop_low),
        **_floats("accuracy_drop_high.", score.drop_high),
        **_floats("baseline.", score.baseline),
        **_floats("chance.", score.chance),
        "flagged_tasks": list(score.flagged),
        "evaluated_tasks": int(score.evaluated),
        "layers_run": score.layers_run,
        "draws": score.draws,
        "adc_rows": score.adc_rows,
    }


def _refuse_unknown(subject: str, metrics: Iterable[str], known: Sequence[str]) -> None:
    for name in metrics:
        if name not in known:
            raise PluginContractError(f"the {subject} has an unknown metric {name!r}", expected=", ".join(known))


def _floats(prefix: str, values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return cells by column, the prefix and a name; a value of None stays an empty cell.

    Raises:
        PluginContractError: a number is not finite.
    """
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            raise PluginContractError(f"{prefix}{name} is not a finite number", expected="a finite number", found=value)
    return {f"{prefix}{name}": None if value is None else float(value) for name, value in values.items()}
