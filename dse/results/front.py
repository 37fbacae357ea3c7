"""Read the fronts of one or several studies, and select designs of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dse.errors import StudyError, UnknownNameError, unknown_name
from dse.results.objectives import is_maximised, read_objectives
from dse.results.pareto import mask_nondominated
from dse.results.read import damaged_table_error, read_metadata, read_table, to_frame
from dse.results.status import Status
from dse.results.studies import Source, join_tables, place

JOINT = "(joint)"
"""Name of the joint front in a list of studies."""


def read_fronts(sources: Sequence[Source], by: str | None = None) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Read the front and the metadata of every study.

    Args:
        sources: the studies.
        by: column that divides the designs: each of its values has a front of its own, of the designs of all studies.

    Returns:
        One row per design of a front, with the name of its study in the column `study`, and true in the column `joint`
        if the design is on the joint front, with all designs that agree; then the metadata of each study.

    Raises:
        StudyError: a table is damaged, or the studies have different objectives.
        UnknownNameError: the column does not exist, or holds lists.
    """
    read = [read_table(source.pareto) for source in sources]
    metadata = [item for _, item in read]
    for source, item in zip(sources, metadata, strict=True):
        owner = item if source.trials == source.pareto else read_metadata(source.trials)
        if owner["study"] != item["study"]:
            raise damaged_table_error(
                source.pareto, f"the front of {item['study']!r} beside the trials of {owner['study']!r}"
            )
    objectives = [read_objectives(item["objectives"]) for item in metadata]
    check_agreement(sources, "objectives", [sorted(item.rule for item in of_study) for of_study in objectives])
    if by is not None:
        return _read_divided(sources, by, metadata), metadata
    # A file that the user named may hold all trials.
    frame = to_frame(join_tables([table.filter(table["on_front"]) for table, _ in read], sources), sources[0].pareto)
    frame["joint"] = True
    if len(sources) > 1:
        ranked = ranking_columns(frame, metadata)
        points = frame[ranked].to_numpy(np.float64, na_value=np.nan)
        frame["joint"] = mask_nondominated(points, [is_maximised(name, objectives[0]) for name in ranked], ties=True)
    return frame, metadata


def _read_divided(sources: Sequence[Source], by: str, metadata: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the designs of all studies that are on the front of their value in a column; empty cells are a value, too."""
    import pyarrow.compute as pc

    tables = [read_table(source.trials)[0] for source in sources]
    done = join_tables([table.filter(pc.equal(table["status"], Status.DONE)) for table in tables], sources)
    if by not in done.column_names:
        raise unknown_name("column", by, done.column_names, where=place(sources))
    objectives = read_objectives(metadata[0]["objectives"])
    wanted = {name for item in metadata for name in item["reference_point"]} | {item.column for item in objectives}
    numbers = to_frame(done.select([name for name in done.column_names if name in wanted]), sources[0].trials)
    ranked = ranking_columns(numbers, metadata) if len(sources) > 1 else [item.column for item in objectives]
    points = numbers[ranked].to_numpy(np.float64, na_value=np.nan)
    mask = np.zeros(len(points), dtype=bool)
    try:
        groups = to_frame(done.select([by]), sources[0].trials).groupby(by, dropna=False).indices
    except TypeError as error:
        raise UnknownNameError(
            f"column {by!r} holds lists, which divide nothing", where=place(sources), fix="name another column"
        ) from error
    for at in groups.values():
        mask[at] = mask_nondominated(points[at], [is_maximised(name, objectives) for name in ranked], ties=True)
    return to_frame(done.filter(mask), sources[0].trials).assign(joint=True)


def ranking_columns(frame: pd.DataFrame, metadata: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns that a joint front ranks designs by.

    These are the metrics of the reference point, from which the hypervolume is measured, and the columns of objectives that
    the reference point says nothing about. If a metric of the reference point was not measured, there is no hypervolume, and
    the columns are those of the objectives.
    """
    chosen = read_objectives(metadata[0]["objectives"])
    reference = sorted({name for item in metadata for name in item["reference_point"]})
    if not all(name in frame and frame[name].notna().all() for name in reference):
        return [item.column for item in chosen]
    other = (item.column for item in chosen if not any(item.covers(metric) for metric in reference))
    return [*reference, *sorted(other)]


def mask_kept(
    frame: pd.DataFrame, sources: Sequence[Source], max_drop: float | None, max_area: float | None, where: str | None
) -> Any:
    """Mask the designs that keep both limits and fulfil the condition in SQL; None stands for no limit or condition.

    Raises:
        QueryError: DuckDB refuses the condition.
        UnknownNameError: the table has no column for a limit.
    """
    mask = np.ones(len(frame), dtype=bool)
    for name, limit in (("accuracy_drop", max_drop), ("array_area_ratio", max_area)):
        if limit is None:
            continue
        if name not in frame.columns:
            raise unknown_name("column", name, frame.columns, where=place(sources))
        mask &= (frame[name] <= limit).to_numpy(bool)
    if where is not None:
        from dse.results.query import matching

        chosen = matching(sources, where)
        mask &= [key in chosen for key in zip(frame["study"], frame["trial"], strict=True)]
    return mask


def check_agreement(sources: Sequence[Source], subject: str, values: Sequence[Any]) -> None:
    """Refuse studies that do not agree in one value each, such as their objectives.

    Raises:
        StudyError: the value of a study differs from that of the first study.
    """
    for source, value in zip(sources, values, strict=True):
        if value != values[0]:
            raise StudyError(
                f"studies with different {subject} have no joint front",
                where=source.trials.parent,
                expected=f"{_words(values[0])}, as in {sources[0].study}",
                found=_words(value),
                fix=f"name studies with the same {subject}, or one study at a time",
            )


def _words(value: Any) -> str:
    items = [f"{name} {limit:g}" for name, limit in value.items()] if isinstance(value, dict) else value
    return ", ".join(items)
