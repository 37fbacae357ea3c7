"""`dse redundancy`: how similar the tasks' layers are, and how much each layer contributes."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dse.analysis.redundancy import redundancy as measure
from dse.commands.open import call_apart
from dse.errors import DataError
from dse.files import make_folder, write_whole
from dse.records.callbacks import ProgressCallback
from dse.study.load import Request, load, request

REDUNDANCY = "redundancy.parquet"
ROWS = 384
"""Training rows to look at by default."""


@dataclass(frozen=True, slots=True)
class Redundancy:
    """The measurements of one call.

    Attributes:
        table: one row per task and layer; `docs/redundancy.md` explains the columns.
        path: file of the table (parquet).
    """

    table: pd.DataFrame
    path: Path


def redundancy(
    space: Path | str,
    *,
    results: Path | str = "results",
    rows: int = ROWS,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: ProgressCallback | None = None,
) -> Redundancy:
    """Measure how similar the tasks' layers are, and how much each layer, head and column contributes.

    Measurements are cached by content, so a second call measures nothing. No plugin does heavy work.

    Args:
        space: the space file; only its workload and the bits of an activation on its reference hardware count. Tasks
            that are not fine-tuned yet are fine-tuned first.
        results: folder that holds the studies; the table goes into this one's.
        rows: number of training rows: over all tasks for similarity, of each task for importance.
        device: device that runs the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's cache
            folder.
        plugins: bare plugin files, besides those that the space file names.
        in_process: whether to measure in this process, as for `run`.
        activity: callback for what is being measured.

    Raises:
        DataError: there are no rows to look at.
        SpaceError: the space file is not usable.
        StudyError: the study's folder cannot be written.
    """
    if rows < 1:
        raise DataError("there are no rows to look at", where="--rows", expected="at least 1", found=rows)
    wanted = request(space, device, cache, plugins, data=data)
    folder = make_folder(Path(results) / wanted.space.name)  # before anything is measured needlessly
    call_apart(wanted, activity, _measure, folder / REDUNDANCY, rows, in_process=in_process)
    return Redundancy(pd.read_parquet(folder / REDUNDANCY, use_threads=False), folder / REDUNDANCY)


def _measure(wanted: Request, path: Path, rows: int, activity: ProgressCallback) -> None:
    table = measure(load(wanted, activity)[0], rows, activity)
    write_whole(path, lambda file: table.to_parquet(file, index=False))
