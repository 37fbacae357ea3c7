"""Build the problem of a space file: register plugins, name models and data, resolve parameters."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dse.cache import default_cache
from dse.errors import DseError, PluginLoadError, SetupError, collect
from dse.files import is_file, make_folder
from dse.plugins.registry import load_registry
from dse.records.callbacks import ProgressCallback
from dse.results.files import SPACE
from dse.space.constraints import needs_score
from dse.space.file import SpaceFile
from dse.space.file import load as load_space
from dse.space.lines import raise_in_order
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from dse.space.workload import expand_home, parse
from dse.space.workload_paths import with_data_folder
from dse.study.provenance import Provenance, provenance_of

if TYPE_CHECKING:
    from dse.score.problem import WorkloadProblem

Device = Literal["auto", "cpu", "cuda"]
GENERATIONS = "nsga2"
"""Sampler of a study on costs alone that names none."""
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to load a space file.

    Attributes:
        space: the validated space file.
        device: device on which models run: auto, cpu or cuda.
        cache: folder for downloads, fine-tuned models and scores.
        plugins: bare plugin files, in addition to those that the space file names.
        problems: problems of entries that ``space`` lacks; `load` reports them with all others.
    """

    space: SpaceFile
    device: str
    cache: Path
    plugins: tuple[Path, ...] = ()
    problems: tuple[DseError, ...] = ()


def load(request: Request, activity: ProgressCallback | None = None) -> tuple[WorkloadProblem, SearchSpace, Provenance]:
    """Build the problem, the search space and the provenance of a space file.

    Args:
        request: the space file, and where to run and cache.
        activity: callback for downloads and fine-tuning.

    Raises:
        SpaceError: the space file is not usable. Several problems are one error.
        UnknownNameError: the file names a plugin or parameter that does not exist.
    """
    from dse.models.shapes import load as load_workload
    from dse.score.build import build_problem
    from dse.study.problems import check_workload, find_problems, leave_out_tables, sketch_workload

    space, device, cache = request.space, request.device, make_folder(request.cache, "the cache folder", "--cache")
    files = [path.resolve() for path in (*space.plugin_paths, *request.plugins)]
    registry = load_registry(files)
    missing = [PluginLoadError("the plugin file does not exist", where=path) for path in files if not is_file(path)]
    problems, late, early, shape, encoder = [*request.problems, *missing], list[DseError](), None, None, None
    with collect(problems):
        spec, memory_gb = parse(space.workload, path=space.path), space.search.memory_gb
        shape = sketch_workload(spec)
        early = find_problems(space, registry, shape, guessed=True)
        loaded = load_workload(spec, cache=cache, device=device, progress=activity, memory_gb=memory_gb)
        encoder, more = check_workload(space, loaded, local=bool(problems or early))
        problems += more
        shape = sketch_workload(spec, encoder)
        early = early and find_problems(space, registry, shape, guessed=encoder is None)
    if not problems and not early:
        with collect(late):
            shape = loaded.shape
            problem = build_problem(space, registry, cache=cache, device=device, progress=activity, loaded=loaded)
            resolved = resolve(space, problem.parameters, problem.tasks, problem.layers)
            return problem, resolved, provenance_of(space, registry, problem.digests)
    more = find_problems(space, registry, shape, guessed=encoder is None)
    late = [error for error in late if all(error.what != other.what for other in more)]
    raise_in_order([*more, *leave_out_tables(space, registry, problems), *late], space.path)
    raise AssertionError("at least one problem was found")


def _read_sampler(file: Path) -> str | None:
    """Return the sampler of a study by its resolved space file; None where there is none that can be read."""
    try:
        sampler = tomllib.loads(file.read_text(encoding="utf-8"))["search"]["sampler"]
    except (OSError, ValueError, LookupError, TypeError):  # opening the study says what is wrong with it
        return None
    return sampler if isinstance(sampler, str) else None


def request(
    path: Path | str,
    device: str,
    cache: Path | str | None,
    plugins: Iterable[Path | str] = (),
    *,
    data: Path | str | None = None,
    seed: int | None = None,
    results: Path | str | None = None,
) -> Request:
    """Read a space file, look for its data files, and build the request to load it.

    A file that names no sampler gets one: that of the study in ``results``, if it was begun; else one that works in
    generations where nothing needs a score, and `graybox` otherwise.
    """
    where = check_device(device)
    problems: list[DseError] = []
    space = load_space(path, problems)
    if folder := find_data_folder(data):
        workload = with_data_folder(space.workload, Path(path).parent, folder)
        space = space.model_copy(update={"workload": workload})
    if seed is not None:
        space = space.model_copy(update={"search": space.search.model_copy(update={"seed": seed})})
    if not problems and not {"sampler", "sampler_options"} & space.search.model_fields_set:
        begun = None if results is None else _read_sampler(Path(results) / space.name / SPACE)
        usual = space.search.sampler if needs_score(space) else GENERATIONS
        search = space.search.model_copy(update={"sampler": begun or usual})
        space = space.model_copy(update={"search": search})
    files = tuple(Path(item) for item in plugins)
    return Request(space, where, Path(cache) if cache else default_cache(), files, tuple(problems))


def find_data_folder(data: Path | str | None) -> Path | None:
    """Return the user's folder of data files: the one named, else that of ``$DSE_DATA``, else None.

    Raises:
        SetupError: the folder does not exist.
    """
    where, name = ("--data", data) if data else ("$DSE_DATA", os.environ.get("DSE_DATA"))
    if not name:
        return None
    folder = Path(expand_home(str(name), Path()))
    if not folder.is_dir():
        raise SetupError("the data folder does not exist", where=where, expected="a folder", found=name)
    return folder.resolve()


def check_device(device: str) -> Device:
    """Return the device, or raise an error that names the devices if it is unknown."""
    for valid in DEVICES:
        if device == valid:
            return valid
    raise SetupError("there is no such device", where="--device", expected=" or ".join(DEVICES), found=repr(device))
