"""Rows of designs with early exits are charged by what inputs did when the design was scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dse.records.design import DesignPoint
from dse.records.scored import CostResult
from tests.support.fakes import FakeProblem, fake_space
from tests.support.studies import go, rows


class Leaving(FakeProblem):
    """Half of all inputs leave, which halves the energy that the plan expects."""

    def __init__(self, share: float) -> None:
        super().__init__(change_score=lambda score: replace(score, reach={"a": (1.0, share)}))

    def cost_measured(self, point: DesignPoint, reach: Mapping[str, tuple[float, ...]]) -> CostResult:
        (cost,) = self.cost([point])
        share = reach["a"][-1]
        metrics: dict[str, Any] = {**cost.metrics, "energy_uj": share * (cost.metrics["energy_uj"] or 0)}
        return replace(cost, metrics=metrics, energy={name: share * value for name, value in cost.energy.items()})


def test_a_scored_row_has_the_energy_of_the_layers_that_were_run(tmp_path: Path) -> None:
    go(tmp_path / "expected", trials=4)
    go(tmp_path / "measured", problem=Leaving(0.5), trials=4)
    expected, measured = rows(tmp_path / "expected"), rows(tmp_path / "measured")
    done = [pair for pair in zip(expected, measured, strict=True) if pair[0]["status"] == "done"]
    assert done[0][1]["energy_uj"] == 0.5 * done[0][0]["energy_uj"]
    assert done[0][1]["area_mm2"] == done[0][0]["area_mm2"]


def test_a_limit_that_only_the_measured_cost_breaks_makes_the_design_infeasible(tmp_path: Path) -> None:
    go(tmp_path / "expected", trials=1)
    (first,) = rows(tmp_path / "expected")
    limit = {"energy_uj": {"max": 1.5 * first["energy_uj"]}}
    go(tmp_path / "measured", fake_space(constraints=limit), problem=Leaving(2.0), trials=1)
    row = rows(tmp_path / "measured")[0]
    assert (row["status"], row["stage"]) == ("infeasible", "score")
    assert "energy_uj" in row["reason"]
    assert row["score_mean"] is not None
