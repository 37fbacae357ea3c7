"""Build the problem of a space file: workload, plugins and reference hardware."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.plugins.registry import Registry
from dse.records.callbacks import ProgressCallback
from dse.score.problem import WorkloadProblem

if TYPE_CHECKING:
    from dse.models.loaded_workload import LoadedWorkload


def build_problem(
    space: Any,
    registry: Registry,
    *,
    cache: Path,
    device: str = "auto",
    progress: ProgressCallback | None = None,
    loaded: LoadedWorkload | None = None,
) -> WorkloadProblem:
    """Build the problem of a space file.

    Args:
        space: a validated `dse.space.file.SpaceFile`.
        registry: registry that knows every plugin of the file.
        cache: folder for downloads, fine-tuned tasks, statistics and scores.
        device: ``auto``, ``cpu`` or ``cuda``.
        progress: callback for what is being prepared.
        loaded: the file's workload, if it is loaded already.
    """
    from dse.models.shapes import load
    from dse.space.workload import parse

    space.check_plugins(registry)
    if loaded is None:
        spec = parse(space.workload, path=space.path)
        loaded = load(spec, cache=cache, device=device, progress=progress, memory_gb=space.search.memory_gb)
    precision = space.search.precision
    return WorkloadProblem(
        loaded, space.plugins, space.reference_hardware, registry, cache=cache, precision=precision, progress=progress
    )
