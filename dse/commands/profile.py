"""`dse profile`: how much compression each task tolerates, and designs to start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dse.commands.open import open_problem
from dse.errors import unknown_name
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.study.load import request

if TYPE_CHECKING:
    import pandas as pd

    from dse.records.design import DesignPoint
    from dse.records.plugin import Kind
    from dse.space.searchspace import SearchSpace
from dse.study.start import PROFILE, PROPOSALS, _cells


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
    data: Path | str | None = None,
    cache: Path | str | None = None,
    plugins: Iterable[Path | str] = (),
    in_process: bool = False,
    activity: ProgressCallback | None = None,
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
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's.
        plugins: bare plugin files, beside those the space file names.
        in_process: as `dse.run`.
        activity: is told what is being measured.

    Raises:
        SpaceError: the space file is not usable, or there is nothing in it to choose for each task.
    """
    import pandas as pd

    from dse.analysis.profile import chosen_by_task, propose, rows_of
    from dse.analysis.profile import profile as measure
    from dse.files import make_folder, write_whole

    told = activity or ignore_progress
    with open_problem(request(space, device, cache, plugins, data=data), activity, in_process=in_process) as (
        problem,
        found,
        _,
    ):
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
    folder = make_folder(Path(results) / found.file.name)
    designs = pd.DataFrame(rows)
    path = write_whole(folder / PROFILE, lambda file: table.to_parquet(file, index=False))
    further = write_whole(folder / PROPOSALS, lambda file: designs.to_parquet(file, index=False))
    return Profiled(table, designs, path, further)


def _start(space: SearchSpace, asked: Mapping[Kind, str | None]) -> DesignPoint:
    """The design with every default that uses the plugins to be profiled, by kind.

    By default the first compressor with a choice for each task, and the first generator: where no compressor has one, the
    first generator that does.
    """
    from dse.analysis.profile import per_task
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
