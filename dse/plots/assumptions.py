"""How much the front leans on assumptions of the hardware model, such as the ADC law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dse.plots.page import Part, choice_part
from dse.plots.study import Study, plain
from dse.results.pareto import nondominated

if TYPE_CHECKING:
    import pandas as pd

    from dse.alternatives import Assumption


def part(study: Study, found: Sequence[Assumption]) -> Part:
    """Area and energy of every design of the front under each assumption, and whether it then still is on the front."""
    head, rows, notes = ["trial"], [[number] for number in plain(study.front["trial"])], []
    for item in found:
        costs = item.costs.reindex(study.front.index)
        stays = set(_front(study, item))
        kept = [index in stays for index in study.front.index]
        head += [f"area_mm2, {item.name}", f"energy_uj, {item.name}", f"on the front, {item.name}"]
        columns = (plain(costs["area_mm2"]), plain(costs["energy_uj"]), ["yes" if stay else "no" for stay in kept])
        for row, values in zip(rows, zip(*columns, strict=True), strict=True):
            row += values
        notes.append(f"{item.name}: {sum(kept)} of {len(kept)} stay, {len(stays) - sum(kept)} others join them.")
    note = "All done designs were costed again under each assumption. " + " ".join(notes)
    return choice_part("assumptions", "The front under other assumptions", rows, head, note)


def _front(study: Study, item: Assumption) -> list[Any]:
    """Index of the done designs that no other one beats under an assumption."""
    columns = [objective.column for objective in study.objectives]
    trials: pd.DataFrame = study.trials[study.trials["status"] == "done"].copy()
    trials.loc[:, ["area_mm2", "energy_uj"]] = item.costs.reindex(trials.index)
    trials = trials.dropna(subset=columns)
    mask = nondominated(trials[columns].to_numpy(float), [objective.maximise for objective in study.objectives])
    return list(trials.index[mask])
