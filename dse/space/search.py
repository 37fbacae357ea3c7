"""The table ``[search]`` of a space file: sampler, budget, objectives and constraints."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator

from dse.errors import DseError, SpaceError, collect
from dse.input_errors import tell
from dse.results.columns import COLUMN_NAMES, Goal
from dse.results.objectives import SHORT_NAMES, check_column, no_goal_error, read_objective

if TYPE_CHECKING:
    from dse.space.file import SpaceFile

TAKEN_NAMES = {name.lower(): name for name in (*COLUMN_NAMES, *SHORT_NAMES, "study", "joint", "differs")}
"""Names that an expression cannot have, by their lower case, since SQL ignores the case of names."""


class Table(BaseModel):
    """A table of a space file: it has only declared keys, and its numbers are finite."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Bound(Table):
    """Limits of one metric; an empty value (no lifetime since no cell is written) keeps any limit."""

    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a constraint needs `min`, `max` or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("nothing lies between `min` and `max`: min is larger than max")
        return self


class ObjectiveTable(Table):
    """An objective: the name of a column, or a table that also says what it is and how it counts."""

    name: str
    of: str | None = None
    goal: Goal | None = None
    reference: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, raw: Any) -> Any:
        return {"name": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if self.of is not None and self.of != self.name:
            if not re.fullmatch(r"[A-Za-z]\w*", self.name, re.ASCII):
                raise ValueError("a name of letters, digits and '_' that begins with a letter")
            if self.goal is None:
                raise tell(no_goal_error(self.name))
        return self

    @model_serializer
    def as_written(self) -> Any:
        """Return the name alone, or a table of what the file says."""
        table = {name: value for name in ("of", "goal", "reference") if (value := getattr(self, name)) is not None}
        return {"name": self.name, **table} if table else self.name


def _usual_objectives() -> list[ObjectiveTable]:
    return [ObjectiveTable(name=name) for name in ("area", "energy", "accuracy")]


class SearchTable(Table):
    """Table of the search: ``[search]``."""

    sampler: str = "graybox"
    sampler_options: dict[str, Any] = Field(default_factory=dict)
    parallel: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    seed: int = Field(default=0, ge=0, lt=2**32)
    trials: int = Field(default=100, ge=1)
    objectives: list[ObjectiveTable] = Field(default_factory=_usual_objectives, min_length=1)
    max_failed_share: float = Field(default=0.1, ge=0, le=1)
    time_limit_s: float = Field(default=900.0, gt=0, le=1e8)
    memory_gb: float | None = Field(default=None, gt=0, le=1e6)
    reference_point: dict[str, float] | None = None
    constraints: dict[str, Bound] = Field(default_factory=dict)
    screen: bool = False
    precision: Literal["bf16", "fp32"] = "bf16"


def check_objectives(space: "SpaceFile") -> Iterator[DseError]:
    """Yield the error of each objective, constraint and reference that is not usable."""
    problems: list[DseError] = []
    columns: set[str] = set()
    for index, item in enumerate(space.search.objectives):
        where = space.where("search", "objectives", index)
        with collect(problems):
            objective = read_objective(item.as_written(), where)
            if objective.expression and item.name.lower() in TAKEN_NAMES:
                taken = TAKEN_NAMES[item.name.lower()]
                raise SpaceError(f"dse uses the name {taken!r}", where=where, expected="another name", found=item.name)
            if objective.column.lower() in columns:
                raise SpaceError("an objective is named twice", where=where, expected="each once", found=item.name)
            columns.add(objective.column.lower())
            if space.search.screen and objective.needs_score and objective.column != SHORT_NAMES["accuracy"]:
                expected = "`accuracy` as the only objective that needs a score, or `screen = false`"
                raise SpaceError(
                    "screening cannot judge this objective", where=where, expected=expected, found=item.name
                )
    named = [item.name for item in space.search.objectives if item.of]
    for key in ("constraints", "reference_point"):
        for name in getattr(space.search, key) or ():
            if name not in named:
                with collect(problems):
                    check_column(name, space.where("search", key, name), more=named)
    yield from problems
