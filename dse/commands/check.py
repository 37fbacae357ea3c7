"""`dse check`: resolve a study file and cost one design."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dse.commands.open import open_problem
from dse.records.callbacks import ProgressCallback
from dse.records.data_facts import DataFacts
from dse.records.plugin import Kind
from dse.space.default_design import default_point
from dse.space.domain import values_text
from dse.study.load import request

if TYPE_CHECKING:
    from dse.records.scored import CostResult
    from dse.space.searchspace import SearchedParameter, SearchSpace


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One parameter of a resolved space.

    Attributes:
        name: ``kind.plugin.parameter``.
        values: what it may be, as text.
        choices: how many values a search chooses: one for each task, layer or place in an order; 0 where it is fixed.
        unit: of the values.
        summary: the plugin's own line.
    """

    name: str
    values: str
    choices: int
    unit: str
    summary: str


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """What a space file comes to.

    Attributes:
        name: of the study.
        size: number of different designs; infinite where a real number is searched without steps.
        tasks: their names.
        layers: encoder layers.
        plugins: names of each kind.
        parameters: every one, searched or fixed.
        trials: budget.
        objectives: what is optimised.
        cost: metrics of the design with every parameter at its default, before anything is fine-tuned.
        violations: limits that design breaks.
        data: what became of every task's rows.
    """

    name: str
    size: float
    tasks: tuple[str, ...]
    layers: int
    plugins: Mapping[Kind, tuple[str, ...]]
    parameters: tuple[ParameterInfo, ...]
    trials: int
    objectives: tuple[str, ...]
    cost: Mapping[str, float | None]
    violations: tuple[str, ...] = ()
    data: tuple[DataFacts, ...] = ()


def check(
    space: Path | str,
    *,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: ProgressCallback | None = None,
) -> SpaceReport:
    """Resolve every plugin and parameter of a space file, and cost one design. Nothing is fine-tuned.

    The base model and the tasks' data are fetched, since their shapes and lengths decide the cost. What a compressor
    stores of weights that do not exist yet is its own estimate.

    Args:
        space: the space file.
        device: where models would run: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads; by default ``$DSE_CACHE``, or the user's.
        plugins: bare plugin files, beside those the space file names.
        in_process: as `run`.
        activity: is told of downloads.

    Raises:
        SpaceError: the space file is not usable.
    """
    from dse.samplers.encoding import Codec
    from dse.samplers.suggester import Suggester
    from dse.study.run import check_components

    with open_problem(request(space, device, cache, plugins, data=data), activity, in_process=in_process) as (
        problem,
        found,
        _,
    ):
        Suggester(found, Codec(found))  # refuses a sampler or an option that does not exist
        check_components(found, problem)
        cost = problem.cost([default_point(found)])[0]
        return space_report(found, cost, problem.data)


def space_report(found: SearchSpace, cost: CostResult, data: tuple[DataFacts, ...] = ()) -> SpaceReport:
    """Describe a resolved space.

    Args:
        found: the space.
        cost: of its `default_point`.
        data: what became of every task's rows.
    """
    return SpaceReport(
        name=found.file.name,
        size=found.size,
        tasks=found.tasks,
        layers=found.layers,
        plugins=found.plugins,
        parameters=tuple(_describe_parameter(item) for item in found.parameters),
        trials=found.file.search.trials,
        objectives=tuple(found.file.search.objectives),
        cost=cost.metrics,
        violations=cost.violations,
        data=data,
    )


def _describe_parameter(item: SearchedParameter) -> ParameterInfo:
    declared = item.declared.parameter
    texts = list(dict.fromkeys(values_text(element.domain) for element in item.elements))
    searched = sum(not element.is_fixed for element in item.elements)
    if item.is_order:
        text = "an order of the tasks" if searched else "one order of the tasks"
    else:
        text = texts[0] if len(texts) == 1 else "; ".join(texts)
    return ParameterInfo(item.declared.full_name, text, searched, declared.unit, declared.summary)
