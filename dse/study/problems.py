"""Every problem of a space file that can be known; a problem that follows from another one is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dse.cost.reference import reference_values
from dse.errors import DseError, UnknownNameError, collect, raise_errors
from dse.models.checks import check_length
from dse.plugins.declared import declare_parameters
from dse.plugins.registry import Registry
from dse.records.design import PluginParameter
from dse.records.plugin import KINDS, Kind
from dse.records.workload import Task, Traffic, Workload
from dse.results.columns import OBJECTIVES
from dse.samplers.encoding import Codec
from dse.samplers.factory import make_factory
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace

if TYPE_CHECKING:
    from dse.models.loaded_task import LoadedTask
    from dse.models.loaded_workload import LoadedWorkload
    from dse.space.file import SpaceFile


def check_workload(space: SpaceFile, loaded: LoadedWorkload) -> list[DseError]:
    """Read base, data and checkpoints, which stay in memory, and return the problems of each."""
    problems: list[DseError] = []
    with collect(problems, space.where("workload", "base")):
        _ = loaded.encoder, loaded.tokenizer
    base = None if problems else loaded.base
    for index, task in enumerate(loaded.tasks.values()):
        with collect(problems, space.where("workload", "tasks", index)):
            _check_task(task, base)
    return problems


def _check_task(task: LoadedTask, base: Any) -> None:
    """Raise all problems of a task; the base is None if it is not usable."""
    problems: list[DseError] = []
    with collect(problems):
        task.check_files()
    with collect(problems):
        _ = task.checkpoint
    if base is not None:
        with collect(problems):
            check_length(task.spec, base.longest)
    if not problems and (base is not None or not task.checkpoint):
        _ = task.splits
    if not problems and base is not None:
        _ = task.train_lengths, task.head_parameters
    raise_errors(problems)


def find_problems(space: SpaceFile, registry: Registry, workload: Workload | None) -> list[DseError]:
    """Return the problems of a study's plugins, their options and parameters, and its sampler.

    Args:
        space: the space file.
        registry: registry that knows the plugins.
        workload: shape of base and tasks; None if the base is not known, and with it no parameter.
    """
    problems: list[DseError] = []
    built: dict[tuple[Kind, str], Any] = {}
    for kind in KINDS:
        for index, name in enumerate(space.kind(kind).plugins):
            with collect(problems):
                registry.get(kind, name, where=space.where(kind, "plugins", index))
                options, where = space.kind(kind).table(name).options, space.where(kind, name, "options")
                built[kind, name] = registry.build(kind, name, options, where=where)
    reference, key = space.reference_hardware, "reference_hardware"
    with collect(problems, space.where(key, "parameters")):
        registry.get("hardware", reference.plugin, where=space.where(key, "plugin"))
        hardware = registry.build("hardware", reference.plugin, reference.options, where=space.where(key, "options"))
        if workload is not None:
            reference_values(reference, hardware.parameters(workload), workload)
    valid = [name for name in space.search.objectives if name in OBJECTIVES]
    search = space.search.model_copy(update={"objectives": valid})
    with collect(problems):  # the sampler's name and options do not depend on the parameters
        bare = SearchSpace(space.model_copy(update={"search": search}), (), (), 0)
        make_factory(bare, Codec(bare))
    if workload is not None:
        problems += _find_wrong_parameters(space, built, workload)
    return problems


def leave_out_tables(space: SpaceFile, registry: Registry, problems: Iterable[DseError]) -> list[DseError]:
    """Leave out tables of plugins that a study does not list, where the list has an unknown name: one of them is meant."""
    unknown = [kind for kind in KINDS if set(space.kind(kind).plugins) - set(registry.records(kind))]
    places = tuple(f"{space.where(kind)}." for kind in unknown)
    return [one for one in problems if not (isinstance(one, UnknownNameError) and str(one.where).startswith(places))]


def _find_wrong_parameters(space: SpaceFile, built: dict[tuple[Kind, str], Any], workload: Workload) -> list[DseError]:
    """Return the problems of the parameters of all plugins that could be built."""
    problems: list[DseError] = []
    declared: list[PluginParameter] = []
    usable: dict[str, Any] = {kind: [] for kind in KINDS}
    for (kind, name), plugin in built.items():
        with collect(problems, space.where(kind, name)):
            items = declare_parameters(kind, name, plugin, workload)
            declared += [PluginParameter(kind, name, item) for item in items]
            usable[kind].append(name)
    tables: dict[str, Any] = {kind: space.kind(kind).model_copy(update={"plugins": usable[kind]}) for kind in KINDS}
    with collect(problems):
        resolve(space.model_copy(update=tables), tuple(declared), workload.task_names, workload.encoder.layers)
    return problems


def sketch_workload(loaded: LoadedWorkload) -> Workload:
    """Return the shape of a workload whose tasks cannot all be read: each input is as long as it may be."""
    spec, total = loaded.spec, sum(task.rate for task in loaded.spec.tasks)
    lengths = [(task, float(task.max_length)) for task in spec.tasks]
    tasks = tuple(Task(task.name, long, long**2, 0, task.rate / total) for task, long in lengths)
    return Workload(spec.base.name, loaded.encoder, tasks, Traffic(**spec.traffic.model_dump()))
