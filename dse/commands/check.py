"""`dse check`: resolve a study file and cost one design."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dse.commands.open import open_problem
from dse.errors import DseError, collect
from dse.records.baseline_facts import BaselineFacts
from dse.records.callbacks import ProgressCallback
from dse.records.data_facts import DataFacts
from dse.records.plugin import Kind
from dse.records.problem import WithBaselines
from dse.results.objectives import evaluate_objectives
from dse.results.points import cells_of
from dse.samplers.encoding import Codec
from dse.samplers.suggester import Suggester
from dse.space.constraints import constraints_of
from dse.space.domain import values_text
from dse.space.lines import raise_in_order
from dse.space.searchspace import SearchedParameter, default_point
from dse.study.load import request
from dse.study.run import check_components


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """A parameter of a resolved space.

    Attributes:
        name: ``kind.plugin.parameter``.
        values: possible values, as text.
        choices: number of values that a search chooses: one per task, layer or place in an order; 0 for a fixed
            parameter.
        unit: unit of the values.
        summary: line in which the plugin describes the parameter.
    """

    name: str
    values: str
    choices: int
    unit: str
    summary: str


@dataclass(frozen=True, slots=True)
class SpaceReport:
    """Summary of a space file.

    Attributes:
        name: name of the study.
        size: number of different designs; infinite if a real number is searched without steps.
        tasks: names of the tasks.
        layers: number of encoder layers.
        plugins: names of the plugins, by kind.
        parameters: every parameter, searched or fixed.
        trials: budget in trials.
        objectives: names of the objectives.
        goals: a sentence per objective: what is optimised, and the reference of the hypervolume.
        limits: a sentence per constraint.
        cost: metrics of the design with every parameter at its default, before anything is fine-tuned.
        violations: limits that this design breaks, and objectives that have no value for it.
        data: counts of every task's rows that are used, dropped or cut.
        warning: sentence that names a reference hardware other than the default; empty for the default.
        baselines: scores of every task that has a ready checkpoint, on its search split.
    """

    name: str
    size: float
    tasks: tuple[str, ...]
    layers: int
    plugins: Mapping[Kind, tuple[str, ...]]
    parameters: tuple[ParameterInfo, ...]
    trials: int
    objectives: tuple[str, ...]
    goals: tuple[str, ...]
    limits: tuple[str, ...]
    cost: Mapping[str, float | None]
    violations: tuple[str, ...] = ()
    data: tuple[DataFacts, ...] = ()
    baselines: tuple[BaselineFacts, ...] = ()
    warning: str = ""


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

    The baseline of a task with a ready checkpoint is scored on the search split.

    The base model and the tasks' data are fetched, since their shapes and lengths decide the cost. A compressor
    estimates the size of weights that do not exist yet.

    Args:
        space: the space file.
        device: device that would run the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads; by default ``$DSE_CACHE``, or the user's cache folder.
        plugins: bare plugin files, besides those that the space file names.
        in_process: whether to evaluate in this process, as for `run`.
        activity: callback for downloads.

    Raises:
        SpaceError: the space file is not usable.
    """
    wanted = request(space, device, cache, plugins, data=data)
    with open_problem(wanted, activity, in_process=in_process) as (problem, search_space, _):
        problems: list[DseError] = []
        with collect(problems):
            Suggester(search_space, Codec(search_space))  # refuses a sampler or an option that does not exist
        with collect(problems):
            check_components(search_space, problem)
        raise_in_order(problems, search_space.file.path)
        point = default_point(search_space)
        cost = problem.cost([point])[0]
        objectives = search_space.file.objectives
        values, reasons = evaluate_objectives(
            cells_of(point, cost), [item for item in objectives if not item.needs_score]
        )
        baselines = problem.baselines(ready=True) if isinstance(problem, WithBaselines) else ()
        return SpaceReport(
            name=search_space.file.name,
            size=search_space.size,
            tasks=search_space.tasks,
            layers=search_space.layers,
            plugins=search_space.plugins,
            parameters=tuple(_describe_parameter(item) for item in search_space.parameters),
            trials=search_space.file.search.trials,
            objectives=tuple(item.name for item in objectives),
            goals=tuple(item.sentence for item in objectives),
            limits=tuple(item.sentence for item in constraints_of(search_space.file)),
            cost={**cost.metrics, **values},
            violations=(*cost.violations, *reasons),
            warning=search_space.file.reference_hardware.warning,
            data=problem.data,
            baselines=baselines,
        )


def _describe_parameter(item: SearchedParameter) -> ParameterInfo:
    declared = item.declared.parameter
    texts = list(dict.fromkeys(values_text(element.domain) for element in item.elements))
    searched = sum(not element.is_fixed for element in item.elements)
    text = "; ".join(texts)
    if item.is_order:
        text = "an order of the tasks" if searched else "one order of the tasks"
    return ParameterInfo(item.declared.full_name, text, searched, declared.unit, declared.summary)
