"""`dse show --by`: the parts of one design's costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.analysis.breakdown import By, list_components, sum_parts
from dse.errors import StudyError
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.results.files import TRIALS
from dse.results.read import show, table_file
from dse.results.studies import find_space, study_folder
from dse.study.load import Request, load, request

if TYPE_CHECKING:
    import pandas as pd

_SUMS = ("area_mm2", "energy_uj", "latency_us")


def breakdown(
    study: Path | str,
    trial: int,
    *,
    by: By | None = None,
    results: Path | str = "results",
    trust: bool = False,
    device: str = "auto",
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    activity: ProgressCallback | None = None,
) -> pd.DataFrame:
    """Return the parts of one design's costs, which sum to its row.

    Components come from the row itself. For everything else the design is costed again, with the study's plugins.

    Args:
        study: name of a study or a sweep, or its folder.
        trial: number of a trial that has costs.
        by: component, owner, layer or matrix; None: one row for each matrix of each owner's layer.
        results: folder that holds the studies.
        trust: whether to run the plugin files that the study names.
        device: device that runs the models, where a plugin prepares with them: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's cache folder.
        plugins: bare plugin files, besides those that the study names.
        activity: callback for downloads and fine-tuning.

    Raises:
        StudyError: there is no such trial, it has no costs, or it cannot be costed again as it was.
    """
    table = table_file(study_folder(study, results), TRIALS)
    record = show(table, trial)
    if record.get("area_mm2") is None:
        raise StudyError(
            f"trial {trial} has no costs",
            where=table,
            expected="a trial that was costed",
            found=f"status {record['status']}",
        )
    if by == "component":
        return list_components(record)
    wanted = request(find_space(table.parent), device, cache, plugins, data=data)
    if wanted.space.plugin_paths and not trust:
        raise StudyError(
            "the study names plugin files, which costing its designs runs",
            where=table.parent,
            found=", ".join(map(str, wanted.space.plugin_paths)),
            fix="add --trust if you trust these files",
        )
    return sum_parts(_break_down(wanted, record, activity or ignore_progress), by)


def _break_down(wanted: Request, record: Mapping[str, Any], activity: ProgressCallback) -> list[dict[str, Any]]:
    """Cost a design again, and return its parts.

    Raises:
        StudyError: the costs differ from those of the row.
    """
    from dse.study.rebuild import rebuild_design

    problem, space, provenance = load(wanted, activity)
    problem.prepare(scores=False)
    problem.leave_out_others([name for name in problem.tasks if name in record["order"]])
    point = rebuild_design(problem, space, provenance, record)
    reach = problem.score(point).reach if record.get("layers_run") else {}
    rows = problem.costing.break_down(point, reach)
    for column in _SUMS:
        again = sum(row.get(column, 0.0) for row in rows)
        if abs(again - record[column]) > 1e-6 * record[column]:
            raise StudyError(
                f"costing the design again gives another {column}",
                where=f"trial {record['trial']}",
                expected=record[column],
                found=again,
                fix="use the data, models and versions that the study was run with, or run it again",
            )
    return rows
