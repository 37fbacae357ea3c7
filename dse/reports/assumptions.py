"""Part of the report on how much the front depends on assumptions of the hardware model, such as the ADC law."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from dse.analysis.assumptions import Assumption
from dse.reports.page import Part, choice_part
from dse.reports.study import Study, plain
from dse.results.objectives import evaluate_objectives
from dse.results.pareto import mask_nondominated
from dse.results.status import Status

COSTED = ["area_mm2", "energy_uj"]


def part(study: Study, under: Sequence[Assumption]) -> Part:
    """Show area and energy of each design of the front under each assumption, and whether it stays on the front."""
    columns: dict[str, list[Any]] = {"trial": plain(study.front["trial"])}
    notes = []
    for item in under:
        costs = _costs(study.front, item)
        stays = set(_front(study, item))
        marks = [index in stays for index in study.front.index]
        for name in COSTED:
            columns[f"{name}, {item.name}"] = plain(costs[name])
        columns[f"on the front, {item.name}"] = ["yes" if stay else "no" for stay in marks]
        notes.append(f"{item.name}: {sum(marks)} of {len(marks)} stay, {len(stays) - sum(marks)} others join them.")
    note = "All done designs were costed again under each assumption that their hardware model knows. " + " ".join(
        notes
    )
    rows = [list(values) for values in zip(*columns.values(), strict=True)]
    return choice_part("assumptions", "The front under other assumptions", rows, list(columns), note)


def _costs(rows: pd.DataFrame, item: Assumption) -> pd.DataFrame:
    """Return area and energy under an assumption; designs whose model does not know the assumption keep their costs."""
    return item.costs.reindex(rows.index).fillna(rows[COSTED].astype(float))


def _front(study: Study, item: Assumption) -> list[Any]:
    """Return the index of the done designs that no other design beats under an assumption."""
    columns = [objective.column for objective in study.objectives]
    trials: pd.DataFrame = study.trials[study.trials["status"] == Status.DONE].copy()
    trials.loc[:, COSTED] = _costs(trials, item)
    rows: list[dict[Any, Any]] = trials.to_dict("records")
    for own in (one for one in study.objectives if one.expression):
        trials[own.column] = [evaluate_objectives(row, [own])[0].get(own.column) for row in rows]
    trials = trials.dropna(subset=columns)
    mask = mask_nondominated(trials[columns].to_numpy(float), [objective.maximise for objective in study.objectives])
    return list(trials.index[mask])
