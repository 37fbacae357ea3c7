"""Build the problem of a space file: register plugins, name models and data, resolve parameters."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dse.errors import SetupError
from dse.plugins.registry import load_registry
from dse.records.callbacks import ProgressCallback
from dse.space.workload import expand_home

if TYPE_CHECKING:
    from dse.score.problem import WorkloadProblem
    from dse.space.file import SpaceFile
    from dse.space.searchspace import SearchSpace
    from dse.study.provenance import Provenance

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to load a space file.

    Attributes:
        space: the validated space file.
        device: device on which models run: auto, cpu or cuda.
        cache: folder for downloads, fine-tuned models and scores.
        plugins: bare plugin files, in addition to those that the space file names.
    """

    space: SpaceFile
    device: str
    cache: Path
    plugins: tuple[Path, ...] = ()


def load(request: Request, activity: ProgressCallback | None = None) -> tuple[WorkloadProblem, SearchSpace, Provenance]:
    """Build the problem, the search space and the provenance of a space file.

    Args:
        request: the space file, and where to run and cache.
        activity: callback for downloads and fine-tuning.

    Raises:
        SpaceError: the space file is not usable.
        UnknownNameError: the file names a plugin or parameter that does not exist.
    """
    from dse.score.build import build_problem
    from dse.space.resolve import resolve
    from dse.study.provenance import provenance_of

    space = request.space
    registry = load_registry([*space.plugin_paths, *request.plugins])
    space.check_plugins(registry)
    problem = build_problem(space, registry, cache=request.cache, device=request.device, progress=activity)
    resolved = resolve(space, problem.parameters, problem.tasks, problem.layers)
    return problem, resolved, provenance_of(space, registry, problem.digests)


def request(
    path: Path | str,
    device: str,
    cache: Path | str | None,
    plugins: Iterable[Path | str] = (),
    *,
    data: Path | str | None = None,
    seed: int | None = None,
) -> Request:
    """Read a space file, look for its data files, and build the request to load it."""
    from dse.cache import default_cache
    from dse.space.file import load as load_space
    from dse.space.workload_paths import with_data_folder

    where = check_device(device)
    space = load_space(path)
    if folder := find_data_folder(data):
        workload = with_data_folder(space.workload, Path(path).parent, folder)
        space = space.model_copy(update={"workload": workload})
    if seed is not None:
        space = space.model_copy(update={"search": space.search.model_copy(update={"seed": seed})})
    return Request(space, where, Path(cache) if cache else default_cache(), tuple(Path(item) for item in plugins))


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
