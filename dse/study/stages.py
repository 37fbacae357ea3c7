"""Evaluate one design in stages: cost, its limits, score, its limits. A design that a stage rejects goes no further."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dse.errors import PluginContractError, StudyError
from dse.records.design import DesignPoint
from dse.records.problem import Problem
from dse.records.scored import CostResult
from dse.results.columns import OBJECTIVES, SCORE_NAMES
from dse.results.rows import TOLERANCE, cost_cells, score_cells
from dse.results.status import Status
from dse.samplers.suggester import Told
from dse.space.constraints import LIMITS, check, constraints_of
from dse.space.file import SpaceFile

WORST_SCORE = 0.0
"""Score that a sampler gets for a design that was rejected before its score: the score of a constant prediction."""


Beaten = Callable[[Sequence[float]], bool]


def nothing_beats(values: Sequence[float]) -> bool:
    """Return False: without measured designs, none beats these objectives."""
    del values
    return False


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of evaluating a design.

    Attributes:
        cells: values by column.
        result: part of the result that the sampler learns.
    """

    cells: Mapping[str, Any]
    result: Told


class Evaluator:
    """Evaluates designs of one study.

    Args:
        problem: source of designs' costs and scores.
        space: space file with objectives and constraints.
    """

    def __init__(self, problem: Problem, space: SpaceFile) -> None:
        self._problem = problem
        self._objectives = [OBJECTIVES[name] for name in space.search.objectives]
        self._constraints = constraints_of(space)
        self._early = tuple(item for item in self._constraints if not item.needs_score)
        self._late = tuple(item for item in self._constraints if item.needs_score)
        scored = any(item.column in SCORE_NAMES for item in self._objectives)
        self.needs_score = scored or bool(self._late)
        self._screens = space.search.screen and scored
        self._baseline: float | None = None

    def evaluate(self, point: DesignPoint, beaten: Beaten = nothing_beats) -> Outcome:
        """Evaluate a design; whatever the problem raises makes a failed row, except for a disk that refuses the cache.

        Keyboard interrupts still come through.

        Raises:
            StudyError: a score or arrays cannot be cached.

        Args:
            point: the design.
            beaten: function that returns whether a known design is at least as good in every objective.
        """
        cells: dict[str, Any] = {"stage": "cost", "status": Status.DONE, "violation": 0.0}
        try:
            return self._stages(point, cells, beaten)
        except StudyError:  # the cache cannot be written: that says nothing about the design
            raise
        except Exception as error:
            del cells["violation"]
            message, trace = map(_printable, (str(error), "".join(traceback.format_exception(error))))
            first, place = (message.splitlines() or [""])[0], _printable(str(getattr(error, "where", None) or ""))
            reason = f"{type(error).__name__}: {first}".rstrip(": ")
            cells |= {
                "status": Status.FAILED,
                "reason": reason if place in first else f"{reason} ({place})",
                "error_type": type(error).__name__,
                "error_message": message,
                "error_traceback": trace,
            }
            return Outcome(cells, Told(None, {}))

    def learn(self, row: Mapping[str, Any]) -> None:
        """Take in a finished trial's row; its score and its drop give the baseline's score."""
        if row.get("accuracy_drop_all") is not None:
            self._baseline = float(row["score_mean"]) + float(row["accuracy_drop_all"]) / 100

    def retold(self, row: Mapping[str, Any]) -> Told:
        """Return what a sampler learns of a row that was recorded under other objectives or constraints."""
        values = [row.get(item.column) for item in self._objectives]
        known = [value for value in values if value is not None]
        if not Status(row["status"]).is_final or len(known) < len(values):
            return Told(None, {})
        excesses, _ = check(self._constraints, row)
        return Told(known, {**excesses, LIMITS: row["violation"]})

    def _stages(self, point: DesignPoint, cells: dict[str, Any], beaten: Beaten) -> Outcome:
        cost = self._cost(point)
        cells.update(cost_cells(cost))
        excesses, reasons = check(self._early, cells)
        excesses |= {item.name: 0.0 for item in self._late}
        if cost.violations:
            excesses[LIMITS] = max(cost.violation, TOLERANCE)
            reasons = [*cost.violations, *reasons]
        else:
            excesses[LIMITS] = 0.0
        if reasons or not self.needs_score:
            return self._tell(cells, excesses, reasons)
        if self._screens and (stopped := self._screen(point, cells, excesses, beaten)) is not None:
            return stopped
        cells["stage"] = "score"
        cells.update(score_cells(self._problem.score(point)))
        late, reasons = check(self._late, cells)
        return self._tell(cells, {**excesses, **late}, reasons)

    def _screen(
        self, point: DesignPoint, cells: dict[str, Any], excesses: Mapping[str, float], beaten: Beaten
    ) -> Outcome | None:
        """Stop a design that loses too much on some rows to reach the front, whatever its score on the others; else None."""
        if self._baseline is None:
            return None
        score = self._problem.score(point, "screen")
        cells |= {"stage": "screen", "screened_tasks": score.evaluated}
        metrics = score.metrics
        lost = metrics["accuracy_drop_all"]
        least = lost - (metrics["accuracy_drop"] - metrics["accuracy_drop_low"])
        best = {"score_mean": self._baseline - least / 100}
        if not beaten([self._value({**cells, **best}, item.column) for item in self._objectives]):
            return None
        cells |= {
            "status": Status.STOPPED,
            "reason": f"loses {lost:.2f} points on some rows, at least {least:.2f} with 97.5 % confidence: "
            "a design on the front is then no worse in anything",
        }
        likely = {"score_mean": self._baseline - lost / 100}
        values = [self._value({**cells, **likely}, item.column) for item in self._objectives]
        return Outcome(cells, Told(values, dict(sorted(excesses.items()))))

    def _cost(self, point: DesignPoint) -> CostResult:
        costs = self._problem.cost([point])
        if len(costs) != 1:
            raise PluginContractError("a cost is missing", expected="one for each design", found=len(costs))
        return costs[0]

    def _tell(self, cells: dict[str, Any], excesses: Mapping[str, float], reasons: list[str]) -> Outcome:
        if reasons:
            cells["status"] = Status.INFEASIBLE
            cells["reason"] = "; ".join(reasons)
            cells["violation"] = sum(value for value in excesses.values() if value > 0)
        values = [self._value(cells, item.column) for item in self._objectives]
        return Outcome(cells, Told(values, dict(sorted(excesses.items()))))

    def _value(self, cells: Mapping[str, Any], column: str) -> float:
        value = cells.get(column)
        if value is None and column in SCORE_NAMES:
            return WORST_SCORE
        if value is None:
            raise PluginContractError(f"the cost has no {column}, which is an objective")
        return float(value)


def _printable(text: str) -> str:
    """Spell out bytes of a file name that is no UTF-8: neither log nor tables can hold them."""
    return text.encode(errors="backslashreplace").decode()
