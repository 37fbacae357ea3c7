"""A study's constraints, each checked as soon as its metric is known."""

from collections.abc import Mapping
from dataclasses import dataclass

from dse.results.columns import find_metric
from dse.space.file import SpaceFile

LIMITS = "hardware"
"""Name under which a sampler learns of violated hardware limits."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One limit of one metric.

    Attributes:
        metric: column of the metric.
        bound: the limit.
        is_upper: whether the metric must stay below the limit.
        needs_score: whether the metric is known only once the design is scored.
    """

    metric: str
    bound: float
    is_upper: bool
    needs_score: bool

    @property
    def name(self) -> str:
        """Name for samplers, e.g. ``latency_us.max``."""
        return f"{self.metric}.{'max' if self.is_upper else 'min'}"

    def excess(self, value: float | None) -> float:
        """Return how far a value exceeds the limit, in units of the limit: negative within the limit, 0 for no value."""
        if value is None:
            return 0.0
        distance = value - self.bound if self.is_upper else self.bound - value
        return distance / (abs(self.bound) or 1.0)

    @property
    def sentence(self) -> str:
        """The limit in words, and whether designs are scored for it."""
        return f"{self.metric} at {'most' if self.is_upper else 'least'} {self.bound:g}{', which needs a score' * self.needs_score}"

    def reason(self, value: float) -> str:
        """Return the reason to write in a row."""
        return f"{self.metric} = {value:.6g} is {'above' if self.is_upper else 'below'} {self.bound:g}"


def constraints_of(space: SpaceFile) -> tuple[Constraint, ...]:
    """Return all limits of a space file, in its order."""
    scored = {item.column for item in space.objectives if item.needs_score}
    return tuple(
        Constraint(metric, limit, is_upper, metric in scored or bool((own := find_metric(metric)) and own.needs_score))
        for metric, bound in space.search.constraints.items()
        for limit, is_upper in ((bound.max, True), (bound.min, False))
        if limit is not None
    )


def needs_score(space: SpaceFile) -> bool:
    """Return whether an objective or a limit of a space file is known only once a design is scored."""
    limits = any(item.needs_score for item in constraints_of(space))
    return limits or any(item.needs_score for item in space.objectives)


def check(
    constraints: tuple[Constraint, ...], metrics: Mapping[str, float | None]
) -> tuple[dict[str, float], list[str]]:
    """Return the excess of each constraint by name, and a reason per violated constraint."""
    excesses: dict[str, float] = {}
    reasons = []
    for item in constraints:
        value = metrics.get(item.metric)
        excesses[item.name] = item.excess(value)
        if value is not None and excesses[item.name] > 0:
            reasons.append(item.reason(value))
    return excesses, reasons
