"""The objectives of a study, as a space file, a log and a table hold them, and the reference point of the hypervolume."""

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from dse.errors import DseError, SpaceError, unknown_name
from dse.results.columns import IDENTITY, METRICS, OPEN_METRICS, RECORD, Column, Goal, Metric, find_metric
from dse.results.expressions import Expression, parse

Definition: TypeAlias = str | Mapping[str, Any]
"""An objective as plain data: a name, or a table of `name`, `of`, `goal` and `reference`."""
SHORT_NAMES = {"area": "area_mm2", "energy": "energy_uj", "latency": "latency_us", "accuracy": "score_mean"}
_WORST_SCORES: dict[Goal | None, float] = {"max": 0.0, "min": 100.0}
"""Scores, and points lost, of a constant prediction: those of a design that was rejected before its score."""
_OTHER_SPLITS = ("report.", "search.")
"""Beginnings of columns of `validation.parquet`, which is about the report split."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One quantity that a study optimises.

    Attributes:
        name: short name of a column, a column, or the name of an expression.
        column: column of its values.
        goal: ``min`` or ``max``.
        needs_score: whether it is known only once a design is scored.
        own_reference: worst value that counts for the hypervolume, as the study sets it; None: the column's default.
        expression: definition over other columns; None for a column.
    """

    name: str
    column: str
    goal: Goal
    needs_score: bool
    own_reference: float | None = None
    expression: Expression | None = None

    @property
    def maximise(self) -> bool:
        """Whether larger values are better."""
        return self.goal == "max"

    @property
    def reference(self) -> tuple[str, float] | None:
        """Column in which the hypervolume measures the objective, and the worst value that counts; None without one."""
        if self.own_reference is not None:
            return of_reference(self.column), self.own_reference
        metric = find_metric(self.column) if self.is_usual else None
        if metric is None:
            return None
        used = METRICS[metric.measured_by[0]] if metric.measured_by else metric
        return None if used.reference is None else (used.name, used.reference)

    @property
    def is_usual(self) -> bool:
        """Whether the objective is a column with the column's default goal."""
        metric = None if self.expression else find_metric(self.column)
        return metric is not None and metric.goal == self.goal

    @property
    def definition(self) -> Definition:
        """The objective as plain data, in one way of writing; see `read_objective`."""
        if self.is_usual and self.name in SHORT_NAMES and self.own_reference is None:
            return self.name
        of = {} if self.expression is None else {"of": self.expression.text}
        reference = {} if self.own_reference is None else {"reference": self.own_reference}
        return {"name": self.name, **of, "goal": self.goal, **reference}

    @property
    def rule(self) -> str:
        """Name of the objective, and what the name alone does not decide: the same in two studies that are compared."""
        of = f" = {self.expression.text}" if self.expression else ""
        return self.name if self.is_usual else f"{self.name}{of} ({self.goal})"

    @property
    def sentence(self) -> str:
        """What the study looks for, with the reference of the hypervolume."""
        of = self.column if self.expression is None else self.expression.text
        text = f"{self.name}: {self.goal}imise {of}"
        if self.reference is None:
            return f"{text}; the hypervolume leaves it out, since it has no reference"
        column, value = self.reference
        metric = find_metric(column)
        unit = f" {metric.unit}" if metric and metric.unit else ""
        return f"{text}; hypervolume up to {column} {value:g}{unit}"

    def covers(self, metric: str) -> bool:
        """Return whether a metric of the reference point measures this objective."""
        own = None if self.expression else find_metric(self.column)
        return metric == self.column or (own is not None and metric in own.measured_by)

    def value(self, row: Mapping[str, Any], *, scored: bool = True) -> float:
        """Return the value for a row. A design without a score gets the value with the scores of a constant prediction.

        Raises:
            ValueError: there is no finite value; the text is the reason.
        """
        try:
            expression = self.expression or Expression(self.column, (self.column,))
            if not scored:
                row = {**row, **{name: _worst(name, row) for name in expression.columns}}
            return expression.value(row)
        except ValueError as error:
            raise ValueError(f"objective {self.name!r} has no value, since {error}") from error


def _worst(column: str, row: Mapping[str, Any]) -> Any:
    metric = find_metric(column)
    return _WORST_SCORES[metric.goal] if metric and metric.needs_score else row.get(column)


def read_objective(item: Definition, where: str = "") -> Objective:
    """Read an objective.

    Args:
        item: the objective as plain data.
        where: place of the objective, for messages.

    Raises:
        SpaceError: the expression is not usable, a column cannot be optimised, or the goal is missing.
        UnknownNameError: there is no such objective or column.
    """
    table: dict[str, Any] = {"name": item} if isinstance(item, str) else dict(item)
    name, goal, own = str(table["name"]), table.get("goal"), table.get("reference")
    of = table.get("of", name)
    if of == name:
        column = SHORT_NAMES.get(name, name)
        metric = check_column(column, where, kind="objective", more=SHORT_NAMES)
        chosen = goal or metric.goal
        if chosen is None:
            raise no_goal_error(name, where)
        short = {column: name for name, column in SHORT_NAMES.items()}.get(column, column)
        return Objective(short, column, chosen, metric.needs_score, own)
    place = f"{where}.of" if where else ""
    expression = parse(of, place)
    if goal is None:
        raise no_goal_error(name, where)
    metrics = [check_column(column, place) for column in expression.columns]
    if not metrics:
        raise SpaceError("the expression reads no column", where=place, expected="at least one", found=of)
    return Objective(name, name, goal, any(metric.needs_score for metric in metrics), own, expression)


def no_goal_error(name: str, where: str = "") -> SpaceError:
    """Build the error for an objective without a goal."""
    return SpaceError(f"objective {name!r} has no goal", where=where, expected='goal = "min" or goal = "max"')


def read_objectives(items: Iterable[Definition]) -> tuple[Objective, ...]:
    """Read the objectives of a log or table; see `read_objective`.

    Raises:
        ValueError: an entry is not an objective.
    """
    try:
        objectives = tuple(read_objective(item) for item in items)
    except (DseError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"objectives {items!r:.60}: {error}") from error
    if not isinstance(items, list | tuple) or not objectives or not all(_is_whole(item) for item in objectives):
        raise ValueError(f"objectives {items!r:.60}")
    return objectives


def _is_whole(item: Objective) -> bool:
    own = item.own_reference
    return item.goal in ("min", "max") and (own is None or (isinstance(own, int | float) and math.isfinite(own)))


def check_column(name: str, where: str, *, kind: str = "column", more: Iterable[str] = ()) -> Metric:
    """Return the metric of a column. Tasks, components and parameters are not checked.

    Args:
        name: name of the column.
        where: place of the name, for messages.
        kind: kind of the name, for messages.
        more: further valid names, for messages.

    Raises:
        SpaceError: the column holds no numbers, says nothing about the design, or is about another split.
        UnknownNameError: there is no such column.
    """
    if (metric := find_metric(name)) is not None:
        return metric
    if name.startswith(_OTHER_SPLITS):
        expected = "a column of trials.parquet, which is about the search split alone"
        raise SpaceError(f"{name!r} belongs to a validation on another split", where=where, expected=expected)
    for column in (*IDENTITY, *RECORD):
        if column.name == name:
            says = f"holds {column.type}" if column.type not in ("float64", "int64") else "is about the run"
            expected = "a column of numbers about the design"
            raise SpaceError(f"column {name!r} {says}", where=where, expected=expected, found=column.summary)
    names = [*METRICS, *(f"{prefix}<name>" for prefix in OPEN_METRICS), *more]
    raise unknown_name(kind, name, names, where=where)


def expression_columns(objectives: Iterable[Objective]) -> tuple[Column, ...]:
    """Return the columns of the objectives that are expressions."""
    return tuple(
        Column(item.column, "float64", f"objective: {item.expression.text}") for item in objectives if item.expression
    )


def evaluate_objectives(row: Mapping[str, Any], objectives: Iterable[Objective]) -> tuple[dict[str, float], list[str]]:
    """Return the values of the expressions by column, and a reason for each objective without a value.

    Args:
        row: values by column, parameters included.
        objectives: objectives of the study, or some of them.
    """
    values: dict[str, float] = {}
    reasons = []
    for item in objectives:
        try:
            value = item.value(row)
        except ValueError as error:
            reasons.append(str(error))
            continue
        if item.expression is not None:
            values[item.column] = value
    return values, reasons


def is_maximised(column: str, objectives: Sequence[Objective] = ()) -> bool:
    """Return whether larger values of a column are better, as the study's objectives say, or else its metric."""
    goals = {name: item.goal for item in objectives for name in (item.column, of_reference(item.column))}
    metric = find_metric(column)
    return goals.get(column, metric.goal if metric else "min") == "max"


def of_reference(column: str, columns: Container[str] = METRICS) -> str:
    """Return the column that compares with the reference hardware, for a ratio to a design's own hardware; else the column.

    Between designs on different hardware, ratios to their own baselines say nothing.
    """
    name = f"{column}_reference"
    return name if name in columns else column


def rename_ratios(point: Mapping[str, float], columns: Container[str]) -> dict[str, float]:
    """Return a reference point in the ratios to the reference hardware, as far as these columns have them.

    Points of edition 1 name ratios without a suffix, which were ratios to the reference hardware.
    """
    return {of_reference(name, columns): limit for name, limit in point.items()}


def reference_point(objectives: Iterable[Objective], given: Mapping[str, float] | None) -> dict[str, float]:
    """Return the reference point of the hypervolume: worst value by metric.

    Args:
        objectives: objectives of the study.
        given: the point as a space file sets it; None: the defaults of the objectives.
    """
    point = rename_ratios(given or {}, METRICS)
    for item in objectives:
        if item.reference is not None and (given is None or item.own_reference is not None):
            column, value = item.reference
            point[column] = value
    return point
