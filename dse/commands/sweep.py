"""`dse sweep`: cost every design of a space, or many of them."""

from collections.abc import Iterable
from pathlib import Path

from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.study.load import load, request
from dse.sweeps.sweep import Keep, Swept
from dse.sweeps.sweep import sweep as sweep_space


def sweep(
    space: Path | str,
    *,
    designs: int | None = None,
    where: str | None = None,
    keep: Keep = "all",
    out: Path | str | None = None,
    results: Path | str = "results",
    seed: int | None = None,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    activity: ProgressCallback | None = None,
) -> Swept:
    """Cost every design of a space, or many of them, without scores; a sweep that was stopped goes on.

    Objectives that need a score are left out.

    Args:
        space: the space file.
        designs: number of designs of a scrambled Sobol sequence over the space; by default every design of a finite space.
        where: condition in SQL over the columns; other designs leave no row.
        keep: rows to keep: all, or those that were on the front when their part was written.
        out: folder of the sweep; by default ``<results>/<name>-sweep``.
        results: folder that holds studies and sweeps.
        seed: seed of the sequence; by default as in the space file.
        device: device that runs the models, where a plugin prepares with them: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads and fine-tuned models; by default ``$DSE_CACHE``, or the user's cache folder.
        plugins: bare plugin files, besides those that the space file names.
        activity: callback for progress.

    Raises:
        SpaceError: the space is infinite and no number is given, or a limit or every objective needs a score.
        StudyError: the folder holds something else, or the disk cannot take the sweep.
        QueryError: the condition is refused.
    """
    wanted = request(space, device, cache, plugins, data=data, seed=seed)
    problem, search_space, provenance = load(wanted, activity)
    folder = Path(out) if out is not None else Path(results) / f"{search_space.file.name}-sweep"
    report = activity or ignore_progress
    return sweep_space(
        problem, search_space, provenance, folder, designs=designs, where=where, keep=keep, activity=report
    )
