"""`dse pareto`: the front of one study or of several studies, and its hypervolume."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pandas as pd

from dse.analysis.comparison import check_comparable
from dse.errors import UnknownNameError, unknown_name
from dse.records.plugin import KINDS
from dse.results.columns import METRIC_NAMES
from dse.results.front import JOINT, check_agreement, mask_kept, read_fronts
from dse.results.objectives import Objective, read_objectives
from dse.results.pareto import study_hypervolume
from dse.results.points import PREFIX
from dse.results.studies import Source, find, place


def pareto(
    study: Path | str,
    *more: Path | str,
    results: Path | str = "results",
    by: str | None = None,
    columns: Sequence[str] = (),
    sort: str | None = None,
    descending: bool = False,
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
    limit: int | None = None,
    anyway: bool = False,
) -> pd.DataFrame:
    """Return the Pareto front of a study, or the joint front of several studies, as a data frame.

    Args:
        study: name of a study, or its folder; a folder that holds studies stands for all of them.
        more: further studies with the same objectives and under the same conditions: the front is then that of all
            designs; the column `study` says whose each is.
        results: folder that holds the studies.
        by: column, such as ``hardware``, whose values have a front each; designs of other values beat none of it.
        columns: names of columns, whole, with ``*`` and ``?``, or from a dot on (``bits``); by default the plugins, every metric that was measured, and the parameters with the
            names of their tasks.
        sort: column to sort by; by default the first objective, best first.
        descending: whether the largest value comes first.
        max_drop: keep designs that lose at most this many points of accuracy.
        max_area: keep designs with at most this ``array_area_ratio``.
        where: keep designs that fulfil this condition in SQL.
        limit: largest number of rows.
        anyway: whether to join studies that differ in tasks, weights, rows, baseline or accounting; the column `differs`
            then names what differs.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: there is a condition, and DuckDB is not installed.
        StudyError: there is no such study, or the studies have different objectives or cannot be compared.
        UnknownNameError: a column does not exist.
    """
    sources = find((study, *more), results)
    frame, metadata = read_fronts(sources, by)
    differing = check_comparable(sources, anyway=anyway)
    columns = [name for text in columns for name in _find_columns(text, list(frame.columns), sources)]
    if sort is not None and sort not in frame.columns:
        raise unknown_name("column", sort, frame.columns, where=place(sources))
    frame = frame[frame["joint"] & mask_kept(frame, sources, max_drop, max_area, where)]
    objectives = read_objectives(metadata[0]["objectives"])
    if sort is None:
        sort, descending = objectives[0].column, objectives[0].maximise
    try:
        first = [] if by in (None, sort) else [by]
        upward = [*(True for _ in first), not descending, True, True]
        frame = frame.sort_values([*first, sort, "study", "trial"], ascending=upward)
    except TypeError as error:
        raise UnknownNameError(
            f"column {sort!r} holds lists, which have no order", where=place(sources), fix="sort by another column"
        ) from error
    parameters = [name for name in frame.columns if name.startswith(PREFIX)]
    metrics = dict.fromkeys((*METRIC_NAMES, *(item.column for item in objectives)))
    others = ([] if by is None else [by]) + (["study"] if len(sources) > 1 else [])
    standard = dict.fromkeys((*others, "trial", *KINDS, *metrics, "tasks", *parameters))
    measured = [name for name in standard if name in frame.columns and (frame[name].notna().any() or name == "trial")]
    if limit is not None:
        frame = frame.head(limit)
    table: pd.DataFrame = frame[list(columns) or measured].reset_index(drop=True)
    return table.assign(differs=differing) if differing else table


def _find_columns(text: str, columns: Sequence[str], sources: Sequence[Source]) -> list[str]:
    """Return the columns that a name, a pattern, or the end of a name stands for.

    Raises:
        UnknownNameError: it stands for none.
    """
    if text in columns:
        return [text]
    named = [name for name in columns if fnmatchcase(name, text)]
    named = named or [name for name in columns if name.endswith(f".{text}")]
    if not named:
        raise unknown_name("column", text, columns, where=place(sources))
    return named


def hypervolume(
    study: Path | str,
    *more: Path | str,
    results: Path | str = "results",
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
    anyway: bool = False,
) -> pd.DataFrame:
    """Return the hypervolume of each study's front, and of their joint front (``dse pareto --hypervolume``).

    Args:
        study: name of a study, or its folder, as for `pareto`.
        more: further studies with the same objectives and reference point.
        results: folder that holds the studies.
        max_drop: leave out designs that lose more points of accuracy.
        max_area: leave out designs with a larger ``array_area_ratio``.
        where: leave out designs that do not fulfil this condition in SQL.
        anyway: whether to join studies that cannot be compared, as for `pareto`.

    Returns:
        One row per study, and ``(joint)`` for several studies: `study`, `designs`, `hypervolume` in the units of the
        metrics of the reference point (missing if a metric was not measured), and the point as ``reference.<metric>``.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: there is a condition, and DuckDB is not installed.
        StudyError: there is no such study, or the studies have different objectives or reference points, or cannot be
            compared.
    """
    sources = find((study, *more), results)
    frame, metadata = read_fronts(sources)
    references = [item["reference_point"] for item in metadata]
    check_agreement(sources, "reference points", references)
    differing = check_comparable(sources, anyway=anyway)
    objectives = read_objectives(metadata[0]["objectives"])
    frame = frame[mask_kept(frame, sources, max_drop, max_area, where)]
    parts = [(source.study, frame[frame["study"] == source.study]) for source in sources]
    if len(sources) > 1:
        parts.append((JOINT, frame[frame["joint"]]))
    table = pd.DataFrame([_describe_front(study, part, references[0], objectives) for study, part in parts])
    return table.assign(differs=differing) if differing else table


def _describe_front(
    study: str, front: pd.DataFrame, reference: Mapping[str, float], objectives: Sequence[Objective]
) -> dict[str, Any]:
    rows: list[dict[Any, Any]] = front[["status", *(name for name in reference if name in front)]].to_dict("records")
    volume = study_hypervolume(rows, reference, objectives)
    point = {f"reference.{name}": value for name, value in reference.items()}
    return {"study": study, "designs": len(front), "hypervolume": float("nan") if volume is None else volume, **point}
