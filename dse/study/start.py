"""Designs that a study evaluates first: proposals of a profile, or a front."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import StudyError
from dse.records.plugin import KINDS
from dse.results.points import PROFILED, point_of

if TYPE_CHECKING:
    import pandas as pd

    from dse.records.design import DesignPoint
    from dse.records.plugin import Kind
    from dse.space.searchspace import SearchSpace

PROFILE = "profile.parquet"
PROPOSALS = "proposals.parquet"


def starting_points(path: Path | str) -> tuple[list[DesignPoint], str]:
    """Read the designs of a parquet file; return them and their source: ``profile``, or ``enqueued`` for a front.

    Raises:
        StudyError: the file is missing, damaged, or holds no designs.
    """
    import pandas as pd

    try:
        with Path(path).open("rb") as file:  # one open file, since a running study may replace it
            rows = pd.read_parquet(file, use_threads=False).to_dict("records")
        points = [point_of({str(name): value for name, value in row.items()}) for row in rows]
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(
            "there are no designs to start from",
            where=path,
            expected="proposals.parquet of `dse profile`, or pareto.parquet of a study",
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    return points, "profile" if rows and "proposal" in rows[0] else "enqueued"


def profiled_rows(path: Path | str, space: SearchSpace) -> list[dict[str, Any]]:
    """Read the measurements of a profile, one row per design that gives every task the same setting.

    Args:
        path: path of the proposals, beside which the profile lies; without a profile, the result is empty.
        space: search space of the study.

    Raises:
        StudyError: the profile is damaged, or belongs to another space.
    """
    import pandas as pd

    path = Path(path).with_name(PROFILE)
    if not path.exists():
        return []
    try:
        table = pd.read_parquet(path, use_threads=False)
        return [_profiled_row(group, space) for _, group in table[table["setting"].notna()].groupby("setting")]
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(
            "the profile cannot be used in this study",
            where=path,
            expected="a profile that `dse profile` wrote for the same space",
            found=f"{type(error).__name__}: {error}".splitlines()[0],
            fix="profile the space again",
        ) from error


def _profiled_row(of_setting: pd.DataFrame, space: SearchSpace) -> dict[str, Any]:
    """Return one setting of a profile as a trial's values by column."""
    from dse.analysis.profile import per_task
    from dse.space.default_design import default_point
    from dse.space.searchspace import snap

    first, scores = of_setting.iloc[0], dict(zip(of_setting["task"], of_setting["score"], strict=True))
    chosen: dict[Kind, str] = {"generator": str(first["generator"]), "compressor": str(first["compressor"])}
    point = default_point(space, **chosen)
    values = {
        item.declared.full_name: snap(item, [first[f"param.{item.declared.full_name}"]] * len(item.elements))
        for kind, name in chosen.items()
        for item in per_task(space, kind, name)
    }
    return {
        "status": PROFILED,
        **design_cells(replace(point, values={**point.values, **values})),
        **{f"score.{task}": float(scores[task]) for task in space.tasks},
        "score_mean": float(of_setting["score"].mean()),
        "accuracy_drop_all": float(of_setting["drop"].mean()),
    }


def design_cells(point: DesignPoint) -> dict[str, object]:
    """Return a design as columns of a result file."""
    plugins: dict[str, object] = {kind: point.plugin(kind) for kind in KINDS}
    return plugins | {f"param.{name}": json.loads(json.dumps(value)) for name, value in point.values.items()}
