"""`dse profile` as a function: measure what each task bears, and leave designs that a search can start from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dse.errors import StudyError, unknown_name
from dse.loading import Activity, loaded, request
from dse.results.points import PROFILED

if TYPE_CHECKING:
    import pandas as pd

    from dse.records.design import DesignPoint
    from dse.records.plugin import Kind
    from dse.space.searchspace import SearchSpace

PROFILE = "profile.parquet"
PROPOSALS = "proposals.parquet"


@dataclass(frozen=True, slots=True)
class Profiled:
    """What each task bears, and the designs that follow.

    Attributes:
        table: one row for each task and setting, and for each task and layer.
        proposals: one row a design: ``proposal``, ``expected_drop``, costs, plugins and parameters.
        path: the table as a parquet file.
        proposals_path: the proposals as a parquet file, for ``dse run --start``.
    """

    table: pd.DataFrame
    proposals: pd.DataFrame
    path: Path
    proposals_path: Path


def profile(
    space: Path | str,
    *,
    results: Path | str = "results",
    generator: str | None = None,
    compressor: str | None = None,
    max_drops: Iterable[float] = (),
    least: Literal["area", "energy"] = "area",
    device: str = "auto",
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: Activity | None = None,
) -> Profiled:
    """Measure how much compression each task bears, and propose designs.

    Every setting of the per-task parameters of generator and compressor, at most 32, is scored once for every task on the
    search split, and so is every layer without its difference. Scores are cached, so a search does not measure them again.

    Args:
        space: the space file.
        results: folder that holds the studies; the profile goes into this one's.
        generator: one of those the space names; by default the first, or the first with a parameter that is set per task
            where the compressor has none.
        compressor: likewise; by default the first with a parameter that is set per task.
        max_drops: mean drop in points that a further design may cost, one for each, beside those of the three modes.
        least: of what the designs have least for their drop, area of arrays or energy.
        device: where models run: auto, cpu or cuda.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's.
        plugins: bare plugin files, beside those the space file names.
        in_process: as `dse.run`.
        activity: is told what is being measured.

    Raises:
        SpaceError: the space file is not usable, or there is nothing in it to choose for each task.
    """
    import pandas as pd

    from dse.results.files import made_folder, write_whole
    from dse.search.profile import chosen_by_task, propose, rows_of
    from dse.search.profile import profile as measure

    told = activity or (lambda _text, _share: None)
    with loaded(request(space, device, cache, plugins), activity, in_process=in_process) as (problem, found, _):
        start = _start(found, {"compressor": compressor, "generator": generator})
        chosen_by_task(found, start)  # before anything is fine-tuned in vain
        problem.prepare(scores=True)
        bears = measure(problem, found, start, told)
        proposals = propose(bears, start, max_drops, least=least)
        costs = problem.cost([item.point for item in proposals])
    table = pd.DataFrame(rows_of(bears, found.tasks)).astype({"layer": "Int64", "setting": "Int64"})
    rows = [
        {
            "proposal": item.name,
            "expected_drop": item.expected_drop,
            **{name: cost.metrics[name] for name in ("area_mm2", "energy_uj", "array_area_ratio", "energy_ratio")},
            **_cells(item.point),
        }
        for item, cost in zip(proposals, costs, strict=True)
    ]
    folder = made_folder(Path(results) / found.file.name)
    designs = pd.DataFrame(rows)
    path = write_whole(folder / PROFILE, lambda file: table.to_parquet(file, index=False))
    further = write_whole(folder / PROPOSALS, lambda file: designs.to_parquet(file, index=False))
    return Profiled(table, designs, path, further)


def starting_points(path: Path | str) -> tuple[list[DesignPoint], str]:
    """Read the designs of a parquet file, proposals of a profile or a front, and say which of both they are.

    Raises:
        StudyError: the file is missing, damaged, or holds no designs.
    """
    import pandas as pd

    from dse.results.points import point_of

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
    """Read what a profile measured, one row for each design that gives every task the same setting.

    Args:
        path: its proposals, beside which the profile lies; where none does, there are no rows.
        space: of the study.

    Raises:
        StudyError: the profile is damaged, or of another space.
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
            expected="what `dse profile` wrote for the same space",
            found=f"{type(error).__name__}: {error}".splitlines()[0],
            fix="profile the space again",
        ) from error


def _profiled_row(of_setting: pd.DataFrame, space: SearchSpace) -> dict[str, Any]:
    """One setting of a profile, as cells of a trial."""
    from dse.search.profile import per_task
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
        **_cells(replace(point, values={**point.values, **values})),
        **{f"score.{task}": float(scores[task]) for task in space.tasks},
        "score_mean": float(of_setting["score"].mean()),
        "accuracy_drop_all": float(of_setting["drop"].mean()),
    }


def _start(space: SearchSpace, asked: Mapping[Kind, str | None]) -> DesignPoint:
    """The design with every default that uses the plugins to be profiled, by kind.

    By default the first compressor with a choice for each task, and the first generator: where no compressor has one, the
    first generator that does.
    """
    from dse.search.profile import per_task
    from dse.space.default_design import default_point

    chosen: dict[str, str] = {}
    found = False
    for kind, name in asked.items():
        names = space.plugins[kind]
        if name is not None and name not in names:
            raise unknown_name(f"{kind} in this study", name, names, where=f"--{kind}")
        able = [other for other in names if per_task(space, kind, other)]
        chosen[kind] = name or (able[0] if able and not found else names[0])
        found = chosen[kind] in able
    return default_point(space, **chosen)


def _cells(point: DesignPoint) -> dict[str, object]:
    """A point as columns of a result file."""
    plugins = {kind: getattr(point, kind) for kind in ("generator", "compressor", "scheduler", "hardware")}
    return plugins | {f"param.{name}": json.loads(json.dumps(value)) for name, value in point.values.items()}
