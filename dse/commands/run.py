"""`dse run`: search a design space, or continue a search."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dse.commands.open import open_problem
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.data_facts import DataFacts
from dse.space.searchspace import SearchSpace
from dse.study.load import request
from dse.study.observer import Observer
from dse.study.run import Finished
from dse.study.run import run as run_search
from dse.study.start import profiled_rows, read_rows, starting_points

CLUSTER_PARALLEL = 16
"""Number of designs in a group of a study that begins on a cluster, if the space file leaves it open."""


def run(
    space: Path | str,
    *,
    results: Path | str = "results",
    trials: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    force: bool = False,
    retry_failed: bool = False,
    start: Path | str | None = None,
    in_process: bool = False,
    workers: int = 1,
    cluster: str | None = None,
    insecure_cluster: bool = False,
    observer: Observer | None = None,
    activity: ProgressCallback | None = None,
) -> Finished:
    """Search a design space, or continue a search where it was stopped.

    Args:
        space: the space file.
        results: folder that holds the studies; this one's folder in it has the name the space file gives.
        trials: budget as a total; by default as in the space file.
        seed: seed of the search; by default as in the space file.
        device: device that runs the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's cache folder.
        plugins: bare plugin files, besides those that the space file names.
        force: whether to continue even if plugins, data or the space have changed since the study began.
        retry_failed: whether to evaluate failed designs again first.
        start: parquet or CSV file with designs to evaluate first: proposals of a profile, beside which `graybox` reads the
            profile, or a front. Values per task go to tasks by name.
        in_process: whether to evaluate in this process, to debug a plugin: nothing limits a method, and a crash ends the run.
        workers: number of processes that share the tasks of a design, each on cores of its own.
        cluster: cluster that measures scores: ``local:N``, the address of a scheduler of Dask, or its scheduler file.
        insecure_cluster: whether an unencrypted connection may leave this machine.
        observer: observer of every trial.
        activity: callback for downloads and fine-tuning.

    Raises:
        SpaceError: the space file is not usable.
        StudyError: the study cannot be continued, or too many trials failed.
    """
    rows = read_rows(start) if start is not None else []
    wanted = request(space, device, cache, plugins, data=data, seed=seed, results=results)
    place: Any = {"in_process": in_process, "cluster": cluster, "insecure_cluster": insecure_cluster}
    with open_problem(wanted, activity, workers=workers, **place) as (problem, search_space, provenance):
        points, notes = starting_points(rows, search_space)
        _tell_facts(problem.data, notes, activity or ignore_progress)
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
            usual_parallel=1 if cluster is None else CLUSTER_PARALLEL,
            **(_find_profile(start, search_space) if start is not None and rows and "proposal" in rows[0] else {}),
        )


def _find_profile(start: Path | str, space: SearchSpace) -> dict[str, Any]:
    """Return what a study knows of designs that a profile proposed: their source, and the profile's rows."""
    return {"enqueued_by": "profile", "profiled": profiled_rows(start, space)}


def _tell_facts(data: tuple[DataFacts, ...], notes: Iterable[str], activity: ProgressCallback) -> None:
    for text in (*_data_lines(data), *notes):
        activity(text, 1.0)


def _data_lines(data: tuple[DataFacts, ...]) -> Iterator[str]:
    """Yield lines on the rows and classes of each task, and on what makes its score say little."""
    for facts in data:
        yield f"data of {facts.sentence()}"
        if text := facts.class_sentence():
            yield text
        yield from (f"WARNING: {text}" for text in facts.warnings())
