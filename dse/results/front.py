"""The front of one study or of several studies together, and the volume of the objective space that it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import StudyError, UnknownNameError, unknown_name
from dse.records.plugin import KINDS
from dse.results.columns import METRIC_NAMES, OBJECTIVES
from dse.results.pareto import mask_nondominated, study_hypervolume
from dse.results.read import DAMAGE, read_table, to_frame
from dse.results.studies import Source, Studies, find

if TYPE_CHECKING:
    import pandas as pd

JOINT = "(joint)"
"""Name of the joint front in a list of studies."""
_LIMITS = {"max_drop": "accuracy_drop", "max_area": "array_area_ratio"}


def front_table(
    studies: Studies,
    *,
    results: Path | str = "",
    columns: Sequence[str] = (),
    sort: str | None = None,
    descending: bool = False,
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return a part of the front of one study, or of the joint front of several studies, ready to print.

    Args:
        studies: names, folders, folders of studies, or parquet files.
        results: folder that holds the studies.
        columns: columns to keep; by default plugins and measured metrics, and `study` if there are several studies.
        sort: column to sort by; by default the first objective, best first.
        descending: whether the largest value comes first.
        max_drop: keep designs that lose at most so many percentage points.
        max_area: keep designs with at most this `array_area_ratio`.
        where: keep designs for which this condition in SQL holds.
        limit: keep so many rows.

    Raises:
        QueryError: the condition is not SQL.
        StudyError: there is no study, its table is damaged, or the studies have different objectives.
        UnknownNameError: a column does not exist.
    """
    sources = find(studies, results)
    frame, metadata = _fronts(sources)
    for name in (*columns, *([sort] if sort else [])):
        if name not in frame.columns:
            raise unknown_name("column", name, frame.columns, where=_place(sources))
    frame = frame[frame["joint"] & _mask_kept(frame, sources, where, max_drop=max_drop, max_area=max_area)]
    if sort is None:
        first = OBJECTIVES[metadata[0]["objectives"][0]]
        sort, descending = first.column, first.maximise
    try:
        frame = frame.sort_values([sort, "study", "trial"], ascending=[not descending, True, True])
    except TypeError as error:
        raise UnknownNameError(
            f"column {sort!r} holds lists, which have no order", where=_place(sources), fix="sort by another column"
        ) from error
    standard = (*(["study"] if len(sources) > 1 else []), "trial", *KINDS, *METRIC_NAMES)
    measured = [name for name in standard if name in frame.columns and (frame[name].notna().any() or name == "trial")]
    if limit is not None:
        frame = frame.head(limit)
    table: pd.DataFrame = frame[list(columns) or measured].reset_index(drop=True)
    return table


def hypervolumes(
    studies: Studies,
    *,
    results: Path | str = "",
    max_drop: float | None = None,
    max_area: float | None = None,
    where: str | None = None,
) -> pd.DataFrame:
    """Return the hypervolume of the front of each study, and of the joint front of several studies.

    Args:
        studies: names, folders, folders of studies, or parquet files.
        results: folder that holds the studies.
        max_drop: count only designs that lose at most so many percentage points.
        max_area: count only designs with at most this `array_area_ratio`.
        where: count only designs for which this condition in SQL holds.

    Returns:
        One row per study and a row ``(joint)``, with study, designs, hypervolume (missing if a metric of the reference
        point was not measured), and the reference point in ``reference.<metric>``.

    Raises:
        QueryError: the condition is not SQL.
        StudyError: there is no study, a table is damaged, or the studies have different objectives or reference points.
    """
    import pandas as pd

    sources = find(studies, results)
    frame, metadata = _fronts(sources)
    references = [item["reference_point"] for item in metadata]
    _must_agree(sources, "reference points", references)
    frame = frame[_mask_kept(frame, sources, where, max_drop=max_drop, max_area=max_area)]
    parts = [(source.study, frame[frame["study"] == source.study]) for source in sources]
    if len(sources) > 1:
        parts.append((JOINT, frame[frame["joint"]]))
    return pd.DataFrame([_hypervolume(study, part, references[0]) for study, part in parts])


def _hypervolume(study: str, front: pd.DataFrame, reference: Mapping[str, float]) -> dict[str, Any]:
    rows: list[dict[Any, Any]] = front[["status", *(name for name in reference if name in front)]].to_dict("records")
    volume = study_hypervolume(rows, reference)
    point = {f"reference.{name}": value for name, value in reference.items()}
    return {"study": study, "designs": len(front), "hypervolume": np.nan if volume is None else volume, **point}


def _fronts(sources: Sequence[Source]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the rows of every front, with `study` and with `joint` for the joint front, and the metadata."""
    import pyarrow as pa
    import pyarrow.compute as pc

    read = [read_table(source.pareto) for source in sources]
    metadata = [item for _, item in read]
    _must_agree(sources, "objectives", [sorted(item["objectives"]) for item in metadata])
    try:
        # A file that the user named may hold all trials.
        tables = [table.filter(pc.fill_null(table["on_front"], fill_value=False)) for table, _ in read]
        named = [
            table.add_column(0, "study", pa.array([source.study] * len(table), pa.string()))
            for table, source in zip(tables, sources, strict=True)
        ]
        joined = pa.concat_tables(named, promote_options="permissive")
    except DAMAGE as error:
        raise StudyError("these tables cannot be joined", where=_place(sources), found=error) from error
    frame = to_frame(joined, sources[0].pareto)
    frame["joint"] = True
    if len(sources) > 1:
        chosen = [OBJECTIVES[name] for name in metadata[0]["objectives"]]
        points = frame[[item.column for item in chosen]].to_numpy(np.float64, na_value=np.nan)
        frame["joint"] = mask_nondominated(points, [item.maximise for item in chosen])
    return frame, metadata


def _mask_kept(frame: pd.DataFrame, sources: Sequence[Source], where: str | None, **most: float | None) -> Any:
    """Mask the designs that keep every limit and fulfil the condition."""
    mask = np.ones(len(frame), dtype=bool)
    for option, limit in most.items():
        name = _LIMITS[option]
        if limit is None:
            continue
        if name not in frame.columns:
            raise unknown_name("column", name, frame.columns, where=_place(sources))
        mask &= (frame[name] <= limit).to_numpy(bool)
    if where is not None:
        from dse.results.query import matching

        chosen = matching(sources, where)
        mask &= [key in chosen for key in zip(frame["study"], frame["trial"], strict=True)]
    return mask


def _must_agree(sources: Sequence[Source], subject: str, values: Sequence[Any]) -> None:
    for source, value in zip(sources, values, strict=True):
        if value != values[0]:
            raise StudyError(
                f"studies with different {subject} have no joint front",
                where=source.trials.parent,
                expected=f"{_words(values[0])}, as in {sources[0].study}",
                found=_words(value),
                fix="name studies that agree, or one study at a time",
            )


def _words(value: Any) -> str:
    items = [f"{name} {limit:g}" for name, limit in value.items()] if isinstance(value, dict) else value
    return ", ".join(items)


def _place(sources: Sequence[Source]) -> str:
    return ", ".join(str(source.pareto.parent) for source in sources)
