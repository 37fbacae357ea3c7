"""Every problem of a space file that can be known; a problem that follows from another one is left out."""

import warnings
from collections.abc import Iterable
from typing import Any

from dse.cost.reference import reference_values
from dse.errors import DseError, SpaceError, UnknownNameError, collect, raise_errors
from dse.files import is_folder
from dse.models.checks import check_length
from dse.models.loaded_task import LoadedTask
from dse.models.loaded_workload import LoadedWorkload
from dse.plugins.declared import declare_parameters
from dse.plugins.registry import Registry
from dse.records.design import PluginParameter
from dse.records.nonideality import Nonideality
from dse.records.plugin import KINDS, Kind
from dse.records.workload import Encoder, Task, Traffic, Workload
from dse.samplers.encoding import Codec
from dse.samplers.factory import make_factory
from dse.score.device import find_device
from dse.space.constraints import needs_score
from dse.space.file import SpaceFile
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from dse.space.workload import WorkloadSpec
from dse.testing.workloads import tiny_workload


def check_workload(space: SpaceFile, loaded: LoadedWorkload, *, local: bool) -> tuple[Encoder | None, list[DseError]]:
    """Read base, data and checkpoints, which stay in memory.

    Args:
        space: the space file.
        loaded: its workload.
        local: whether to leave out what a run would have to download, since the file has other problems.

    Returns:
        Shape of the base, None if it is not usable or left out; and the problems of each.
    """
    problems: list[DseError] = []
    if loaded.spec.shapes_alone:
        with collect(problems, space.where("workload")):
            _ = loaded.shape
        if needs_score(space):
            fault = "a score needs weights and text, and the tasks have numbers of tokens alone"
            expected = "objectives and limits on costs, such as area and energy"
            problems.append(SpaceError(fault, where=space.where("search", "objectives"), expected=expected))
        return (None if problems else loaded.encoder), problems
    absent = local and not is_folder(loaded.spec.base.source)
    with collect(problems, space.where("workload", "base")):
        _ = absent or (loaded.encoder, loaded.tokenizer)
    base = None if problems or absent else loaded.base
    for index, task in enumerate(loaded.tasks.values()):
        with collect(problems, space.where("workload", "tasks", index)):
            _check_task(task, base, local=local)
    return base.encoder if base else None, problems


def _check_task(task: LoadedTask, base: Any, *, local: bool) -> None:
    """Raise all problems of a task, or those of local files alone; the base is None if it is not usable."""
    problems: list[DseError] = []
    absent_data = local and (task.given.data.hub or task.given.data.archive is not None)
    absent_model = local and task.given.checkpoint and not is_folder(task.given.checkpoint)
    with collect(problems):
        _ = absent_data or task.check_files()
    with collect(problems):
        _ = absent_model or task.checkpoint
    if base is not None:
        with collect(problems):
            check_length(task.given, base.longest)
    absent = absent_data or absent_model
    if not problems and not absent and (base is not None or not task.checkpoint):
        _ = task.splits
    if not problems and not absent and base is not None:
        _ = task.train_lengths, task.head_parameters
    raise_errors(problems)


def find_problems(
    space: SpaceFile, registry: Registry, workload: Workload | None, *, guessed: bool = False
) -> list[DseError]:
    """Return the problems of a study's plugins, their options and parameters, and its sampler.

    Args:
        space: the space file.
        registry: registry that knows the plugins.
        workload: shape of base and tasks; None if the tasks are not known, and with them no parameter.
        guessed: whether the base is not known: then only names of parameters count, which do not depend on its shape.
    """
    problems: list[DseError] = []
    built: dict[tuple[Kind, str], Any] = {}
    for kind in KINDS:
        for index, name in enumerate(space.kind(kind).plugins):
            with collect(problems):
                registry.get(kind, name, where=space.where(kind, "plugins", index))
                options, where = space.kind(kind).table(name).options, space.where(kind, name, "options")
                built[kind, name] = registry.build(kind, name, options, where=where)
                given = registry.validate_options(kind, name, options, where=where)
                if isinstance(given, Nonideality):
                    find_device(registry, given, where)
    reference, key = space.reference_hardware, "reference_hardware"
    with collect(problems, space.where(key, "parameters")):
        registry.get("hardware", reference.plugin, where=space.where(key, "plugin"))
        hardware = registry.build("hardware", reference.plugin, reference.options, where=space.where(key, "options"))
        if workload is not None and not guessed:
            reference_values(reference, hardware.parameters(workload), workload)
    with collect(problems):  # the sampler's name and options do not depend on the parameters
        bare = SearchSpace(space, (), (), 0)
        make_factory(bare, Codec(bare))
    if workload is not None:
        more = _find_wrong_parameters(space, registry, built, workload)
        problems += [error for error in more if not guessed or isinstance(error, UnknownNameError)]
    return problems


def leave_out_tables(space: SpaceFile, registry: Registry, problems: Iterable[DseError]) -> list[DseError]:
    """Leave out tables of plugins that a study does not list, where the list has an unknown name: one of them is meant."""
    unknown = [kind for kind in KINDS if set(space.kind(kind).plugins) - set(registry.records(kind))]
    places = tuple(f"{space.where(kind)}." for kind in unknown)
    return [one for one in problems if not (isinstance(one, UnknownNameError) and str(one.where).startswith(places))]


def _find_wrong_parameters(
    space: SpaceFile, registry: Registry, built: dict[tuple[Kind, str], Any], workload: Workload
) -> list[DseError]:
    """Return the problems of the parameters of all plugins that could be built."""
    problems: list[DseError] = []
    declared: list[PluginParameter] = []
    usable: dict[str, Any] = {kind: [] for kind in KINDS}
    for (kind, name), plugin in built.items():
        with collect(problems, space.where(kind, name)):
            items = declare_parameters(kind, name, plugin, workload, registry.get(kind, name).api)
            declared += [PluginParameter(kind, name, item) for item in items]
            usable[kind].append(name)
    tables: dict[str, Any] = {kind: space.kind(kind).model_copy(update={"plugins": usable[kind]}) for kind in KINDS}
    with collect(problems), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # the file is resolved once more, and then names its old keys
        resolve(space.model_copy(update=tables), tuple(declared), workload.task_names, workload.encoder.layers)
    return problems


def sketch_workload(spec: WorkloadSpec, encoder: Encoder | None = None) -> Workload:
    """Return the shape of a workload whose tasks cannot all be read: each input is as long as it may be.

    Args:
        spec: the workload.
        encoder: shape of the base; None if it is not known, and a large base stands for it.
    """
    total = sum(task.rate for task in spec.tasks)
    lengths = [(task, float(task.max_length)) for task in spec.tasks]
    tasks = tuple(Task(task.name, long, long**2, 0, task.rate / total) for task, long in lengths)
    encoder = encoder or tiny_workload(layers=48, hidden=768, ffn=3072, heads=12).encoder
    return Workload(spec.base.name, encoder, tasks, Traffic(**spec.traffic.model_dump()))
