"""`dse pareto`: the front of one study or of several studies, and its hypervolume."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def pareto(
    study: Path | str,
    *more: Path | str,
    results: Path | str = "results",
    columns: Sequence[str] = (),
    sort: str | None = None,
    descending: bool = False,
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return the Pareto front of a study, or the joint front of several studies, as a data frame.

    Args:
        study: name of a study, or its folder; a folder that holds studies stands for all of them.
        more: further studies with the same objectives: the front is then that of all designs; the column `study` says
            whose each is.
        results: folder that holds the studies.
        columns: names of columns; by default the plugins and every metric that was measured.
        sort: column to sort by; by default the first objective, best first.
        descending: whether the largest value comes first.
        max_drop: keep designs that lose at most this many points of accuracy.
        max_area: keep designs with at most this ``array_area_ratio``.
        where: keep designs that fulfil this condition in SQL.
        limit: largest number of rows.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: there is a condition, and DuckDB is not installed.
        StudyError: there is no such study, or the studies have different objectives.
        UnknownNameError: a column does not exist.
    """
    from dse.results.front import front_table

    return front_table(
        (study, *more),
        results=results,
        columns=columns,
        sort=sort,
        descending=descending,
        max_drop=max_drop,
        max_area=max_area,
        where=where,
        limit=limit,
    )


def hypervolume(
    study: Path | str,
    *more: Path | str,
    results: Path | str = "results",
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
) -> pd.DataFrame:
    """Return the hypervolume of each study's front, and of their joint front (``dse pareto --hypervolume``).

    Args:
        study: name of a study, or its folder, as for `pareto`.
        more: further studies with the same objectives and reference point.
        results: folder that holds the studies.
        max_drop: leave out designs that lose more points of accuracy.
        max_area: leave out designs with a larger ``array_area_ratio``.
        where: leave out designs that do not fulfil this condition in SQL.

    Returns:
        One row per study, and ``(joint)`` for several studies: `study`, `designs`, `hypervolume` in the units of the
        metrics of the reference point (missing if a metric was not measured), and the point as ``reference.<metric>``.

    Raises:
        QueryError: DuckDB refuses the condition.
        SetupError: there is a condition, and DuckDB is not installed.
        StudyError: there is no such study, or the studies have different objectives or reference points.
    """
    from dse.results.front import hypervolumes

    return hypervolumes((study, *more), results=results, max_drop=max_drop, max_area=max_area, where=where)
