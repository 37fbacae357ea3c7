"""Evaluate one design in stages: cost, its limits, score, its limits. What a stage rejects ends; what it raises is a failed row."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dse.errors import PluginContractError, StudyError
from dse.records.design import DesignPoint
from dse.records.plugin import KINDS
from dse.records.problem import Foresighted, Problem, WithMeasuredExits
from dse.records.scored import CostResult
from dse.results.objectives import evaluate_objectives
from dse.results.points import PREFIX
from dse.results.rows import TOLERANCE, cost_cells, score_cells
from dse.results.status import Status
from dse.samplers.suggester import Told
from dse.space.constraints import LIMITS, check, constraints_of, needs_score
from dse.space.file import SpaceFile

Beaten = Callable[[Sequence[float]], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of evaluating a design.

    Attributes:
        cells: values by column.
        result: part of the result that the sampler learns.
    """

    cells: Mapping[str, Any]
    result: Told


def make_row(asked: Mapping[str, Any], point: DesignPoint, outcome: Outcome, seconds: float) -> dict[str, Any]:
    """Return the row of a trial that was evaluated in some seconds."""
    return {
        **{name: asked[name] for name in ("trial", "source", "seed")},
        **{kind: point.plugin(kind) for kind in KINDS},
        **{PREFIX + name: value for name, value in point.values.items()},
        **outcome.cells,
        "duration_s": seconds,
    }


def reject(excesses: Mapping[str, float], reasons: Sequence[str]) -> dict[str, Any]:
    """Return the cells that say why a design is infeasible."""
    violation = sum(value for value in excesses.values() if value > 0) or TOLERANCE
    return {"status": Status.INFEASIBLE, "reason": "; ".join(reasons), "violation": violation}


class Evaluator:
    """Evaluates designs of one study.

    Args:
        problem: source of designs' costs and scores.
        space: space file with objectives and constraints.
    """

    def __init__(self, problem: Problem, space: SpaceFile) -> None:
        self._problem = problem
        self._objectives = space.objectives
        self._constraints = constraints_of(space)
        self._early = tuple(item for item in self._constraints if not item.needs_score)
        self._late = tuple(item for item in self._constraints if item.needs_score)
        scored = any(item.needs_score for item in self._objectives)
        self.needs_score = needs_score(space)
        self._screens = space.search.screen and scored
        self.looks_ahead = isinstance(problem, Foresighted) and self.needs_score and not self._screens
        self._baseline: float | None = None

    def announce(self, points: Sequence[DesignPoint]) -> None:
        """Tell a problem that scores designs side by side which of these will be scored: those that keep the cost's limits."""
        cells = [{PREFIX + name: value for name, value in point.values.items()} for point in points]
        costs = zip(points, self._find_costs(list(points)), cells, strict=True)
        kept = [point for point, cost, own in costs if cost is not None and not self._take_cost(cost, own)[1]]
        if isinstance(self._problem, Foresighted):
            self._problem.expect(kept)

    def _find_costs(self, points: list[DesignPoint]) -> list[CostResult | None]:
        """Return the costs of designs; None for a design whose cost raises."""
        try:
            return [*self._problem.cost(points)]
        except Exception:  # a plugin's own; the trial itself records it
            return [None] if len(points) == 1 else [self._find_costs([point])[0] for point in points]

    def evaluate_together(self, points: list[DesignPoint]) -> list[Outcome]:
        """Evaluate designs that need no score, costed in one call; where that raises, each is evaluated by itself."""
        try:
            costs = self._problem.cost(points)
        except StudyError:
            raise
        except Exception:
            costs = []
        if len(costs) != len(points):
            return [self.evaluate(point) for point in points]
        return [self.evaluate(point, cost=cost) for point, cost in zip(points, costs, strict=True)]

    def evaluate(self, point: DesignPoint, beaten: Beaten | None = None, cost: CostResult | None = None) -> Outcome:
        """Evaluate a design; whatever the problem raises makes a failed row, except for a disk that refuses the cache.

        Keyboard interrupts still come through.

        Raises:
            StudyError: a score or arrays cannot be cached.

        Args:
            point: the design.
            beaten: function that returns whether a known design is at least as good in every objective; None if no design
                is known.
            cost: cost of the design, where it is known.
        """
        parameters = {PREFIX + name: value for name, value in point.values.items()}
        cells: dict[str, Any] = {"stage": "cost", "status": Status.DONE, "violation": 0.0, **parameters}
        try:
            return self._stages(point, cells, beaten, cost)
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
        values = self._values(row)
        if not Status(row["status"]).is_final or values is None:
            return Told(None, {})
        excesses, _ = check(self._constraints, {**row, **evaluate_objectives(row, self._objectives)[0]})
        return Told(values, {**excesses, LIMITS: row["violation"]})

    def _stages(
        self, point: DesignPoint, cells: dict[str, Any], beaten: Beaten | None, cost: CostResult | None
    ) -> Outcome:
        excesses, reasons = self._take_cost(cost or self._cost(point), cells)
        if reasons or not self.needs_score:
            return self._tell(cells, excesses, reasons)
        if self._screens and (stopped := self._screen(point, cells, excesses, beaten)) is not None:
            return stopped
        cells["stage"] = "score"
        score = self._problem.score(point)
        cells.update(score_cells(score))
        early: list[str] = []
        if score.reach and isinstance(self._problem, WithMeasuredExits):
            excesses, early = self._take_cost(self._problem.cost_measured(point, score.reach), cells)
        without = self._derive(cells, scored=True)
        late, reasons = check(self._late, cells)
        return self._tell(cells, {**excesses, **late}, [*early, *reasons, *without])

    def _take_cost(self, cost: CostResult, cells: dict[str, Any]) -> tuple[dict[str, float], list[str]]:
        """Add a cost to the cells; return by how much each limit is exceeded, and why the design cannot be built."""
        cells.update(cost_cells(cost))
        return self.judge(cells, cost.violations, cost.violation)

    def judge(
        self, cells: dict[str, Any], violations: Sequence[str], violation: float
    ) -> tuple[dict[str, float], list[str]]:
        """Return by how much a design with these costs exceeds each limit, and why it cannot be built.

        Args:
            cells: costs and parameters by column, to which expressions are added.
            violations: sentences on limits of the hardware that the design breaks.
            violation: amount by which it breaks them.
        """
        without = self._derive(cells, scored=False)
        excesses, reasons = check(self._early, cells)
        excesses |= {item.name: 0.0 for item in self._late}
        excesses[LIMITS] = max(violation, TOLERANCE) if violations else 0.0
        return excesses, [*violations, *reasons, *without]

    def _derive(self, cells: dict[str, Any], *, scored: bool) -> list[str]:
        """Add the expressions that are known before, or only after, the score; return why objectives have no value."""
        values, reasons = evaluate_objectives(cells, [item for item in self._objectives if item.needs_score == scored])
        cells.update(values)
        return reasons

    def _screen(
        self, point: DesignPoint, cells: dict[str, Any], excesses: Mapping[str, float], beaten: Beaten | None
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
        hoped = self._values({**cells, **best})
        if hoped is None or beaten is None or not beaten(hoped):
            return None
        cells |= {
            "status": Status.STOPPED,
            "reason": f"loses {lost:.2f} points on some rows, at least {least:.2f} with 97.5 % confidence: "
            "a design on the front is then no worse in anything",
        }
        likely = {"score_mean": self._baseline - lost / 100}
        return Outcome(cells, Told(self._values({**cells, **likely}), dict(sorted(excesses.items()))))

    def _cost(self, point: DesignPoint) -> CostResult:
        costs = self._problem.cost([point])
        if len(costs) != 1:
            raise PluginContractError("a cost is missing", expected="one cost for each design", found=len(costs))
        return costs[0]

    def _tell(self, cells: dict[str, Any], excesses: Mapping[str, float], reasons: list[str]) -> Outcome:
        if reasons:
            cells |= reject(excesses, reasons)
        values = self._values(cells, scored=cells["stage"] == "score")
        return Outcome(cells, Told(values, dict(sorted(excesses.items()))))

    def _values(self, cells: Mapping[str, Any], *, scored: bool = True) -> list[float] | None:
        """Return the values of the objectives as a sampler learns them; None if an objective has no value."""
        try:
            return [item.value(cells, scored=scored) for item in self._objectives]
        except ValueError:
            return None


def _printable(text: str) -> str:
    """Spell out bytes of a file name that is not UTF-8: neither log nor tables can hold them."""
    return text.encode(errors="backslashreplace").decode()
