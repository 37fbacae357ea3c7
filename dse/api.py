"""The commands as functions: the same names, the same options, results as Python objects instead of print.

Nothing here prints or touches logging; what takes long reports through the observers it is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dse.errors import StudyError
from dse.loading import loaded
from dse.registry.registry import load_registry
from dse.reports import PluginInfo, SpaceReport, plugin_infos, space_report
from dse.space.default_design import default_point
from dse.study.load import Activity, request
from dse.study.start import profiled_rows, starting_points

if TYPE_CHECKING:
    import pandas as pd

    from dse.study.observer import Observer
    from dse.study.run import Finished
    from dse.study.validate import Validation


def run(
    space: Path | str,
    *,
    results: Path | str = "results",
    trials: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    force: bool = False,
    retry_failed: bool = False,
    start: Path | str | None = None,
    in_process: bool = False,
    workers: int = 1,
    observer: Observer | None = None,
    activity: Activity | None = None,
) -> Finished:
    """Search a design space, or continue a search where it was stopped.

    Args:
        space: the space file.
        results: folder that holds the studies; this one's folder in it has the name the space file gives.
        trials: budget as a total; by default the space file's.
        seed: instead of the space file's.
        device: where models run: auto, cpu or cuda.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's.
        plugins: bare plugin files, beside those the space file names.
        force: continue although plugins, data or the space have changed since the study began.
        retry_failed: evaluate failed designs again first.
        start: parquet file with designs to evaluate first: proposals of a profile, or a front. The sampler `graybox` takes in
            the profile that lies beside its proposals as well.
        in_process: evaluate in this process instead of a worker: to debug a plugin. Then nothing limits a method that
            never returns, and a crash ends the run; the log is whole all the same.
        workers: processes that share the tasks of a design between them, each on cores of its own.
        observer: is told of every trial.
        activity: is told of downloads and fine-tuning.

    Raises:
        SpaceError: the space file is not usable.
        StudyError: the study cannot be continued, or too many trials failed.
    """
    from dse.study.run import run as run_search

    points, proposed_by = starting_points(start) if start is not None else ([], "enqueued")
    wanted = request(space, device, cache, plugins, seed)
    with loaded(wanted, activity, in_process=in_process, workers=workers) as (problem, search_space, provenance):
        return run_search(
            problem,
            search_space,
            folder=Path(results) / search_space.file.name,
            provenance=provenance,
            trials=trials,
            observer=observer,
            force=force,
            retry_failed=retry_failed,
            enqueue=points,
            enqueued_by=proposed_by,
            profiled=profiled_rows(start, search_space) if start is not None and proposed_by == "profile" else (),
        )


def check(
    space: Path | str,
    *,
    device: str = "auto",
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: Activity | None = None,
) -> SpaceReport:
    """Resolve every plugin and parameter of a space file, and cost one design. Nothing is fine-tuned.

    The base model and the tasks' data are fetched, since their shapes and lengths decide the cost. What a compressor
    stores of weights that do not exist yet is its own estimate.

    Args:
        space: the space file.
        device: where models would run: auto, cpu or cuda.
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

    with loaded(request(space, device, cache, plugins), activity, in_process=in_process) as (problem, found, _):
        Suggester(found, Codec(found))  # refuses a sampler or an option that does not exist
        check_components(found, problem)
        cost = problem.cost([default_point(found)])[0]
        return space_report(found, cost, problem.data)


def validate(
    study: Path | str,
    *,
    results: Path | str = "results",
    target_drop: float | None = None,
    least: Literal["area", "energy"] = "area",
    chosen_only: bool = False,
    device: str = "auto",
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: Activity | None = None,
) -> Validation:
    """Score a study's front on the report split, which no choice has seen.

    Args:
        study: its name, or its folder.
        results: folder that holds the studies.
        target_drop: points a design may lose: chooses one on the search split, and says whether it keeps the target.
        least: of what the chosen design has least among those that keep the target, area of arrays or energy.
        chosen_only: score that design, and those a profile proposed, instead of the whole front.
        device: where models run: auto, cpu or cuda.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's.
        plugins: bare plugin files, beside those the study names.
        in_process: as `run`.
        activity: is told of downloads, fine-tuning and scoring.

    Raises:
        StudyError: there is no such study, it is running, it was begun under other conditions, or it was not scored.
    """
    from dse.results.files import SPACE
    from dse.results.studies import study_folder
    from dse.study.validate import validate as validate_study

    folder = study_folder(study, results)
    space = folder / SPACE
    if not space.is_file():
        raise StudyError("there is no study here", where=folder, expected=f"a folder with {SPACE}, as a run writes it")

    def told(scored: int, total: int) -> None:
        if activity is not None:
            activity(f"scoring design {scored} of {total} on the report split", scored / total)

    wanted = request(space, device, cache, plugins)
    with loaded(wanted, activity, in_process=in_process) as (problem, found, provenance):
        return validate_study(
            problem,
            found,
            folder=folder,
            provenance=provenance,
            target_drop=target_drop,
            least=least,
            chosen_only=chosen_only,
            told=told,
        )


def deltas(
    space: Path | str,
    *,
    per_channel: bool = False,
    device: str = "auto",
    cache: Path | str | None = None,
    activity: Activity | None = None,
) -> pd.DataFrame:
    """Compare every task's fine-tuned matrices with the base's, layer by layer.

    Args:
        space: the space file; only its workload counts. Tasks that are not fine-tuned yet are fine-tuned first.
        per_channel: one 8-bit grid for each output of a matrix instead of one for the matrix.
        device: where models run: auto, cpu or cuda.
        cache: folder for downloads and fine-tuned models; by default ``$DSE_CACHE``, or the user's.
        activity: is told of downloads and fine-tuning.

    Returns:
        Columns task, layer ("all" for the whole task), cosine, nonzero, magnitude, largest, saturated; see
        `dse.analysis.deltas.DeltaStatistics`.

    Raises:
        SpaceError: the space file is not usable.
    """
    import pandas as pd

    from dse.analysis.deltas import statistics
    from dse.models.loaded_workload import load as load_workload
    from dse.space.workload import parse

    wanted = request(space, device, cache, ())
    spec = parse(wanted.space.workload, path=wanted.space.path)
    loaded = load_workload(spec, cache=wanted.cache, device=device, progress=activity)
    return pd.DataFrame(list(statistics(loaded, per_channel=per_channel)))


def plugins_list(*, plugins: Iterable[Path | str] = ()) -> list[PluginInfo]:
    """Every plugin found: those that work, then those that do not load, then those switched off.

    Args:
        plugins: bare plugin files to load as well.
    """
    return plugin_infos(load_registry(plugins))
