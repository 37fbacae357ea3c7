"""`dse profile`: how much compression each task tolerates, and designs to start from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from dse.analysis.profile import Proposal, chosen_by_task, per_task, propose, rows_of
from dse.analysis.profile import profile as measure
from dse.commands.open import open_problem
from dse.errors import unknown_name
from dse.files import make_folder, write_whole
from dse.records.callbacks import ProgressCallback, ignore_progress
from dse.records.design import DesignPoint
from dse.records.plugin import Kind
from dse.records.scored import CostResult
from dse.space.searchspace import SearchSpace, default_point
from dse.study.load import request
from dse.study.start import PROFILE, PROPOSALS, design_cells


@dataclass(frozen=True, slots=True)
class Profiled:
    """Result of a profile: the losses that each task tolerates, and the designs that follow.

    Attributes:
        table: one row per task and setting, and one row per task and layer.
        proposals: one row per design: ``proposal``, ``expected_drop``, costs, plugins and parameters.
        path: file of the table (parquet).
        proposals_path: file of the proposals (parquet), for ``dse run --start``.
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
    cluster: str | None = None,
    insecure_cluster: bool = False,
    activity: ProgressCallback | None = None,
) -> Profiled:
    """Measure how much compression each task tolerates, and propose designs.

    Every setting of the per-task parameters of generator and compressor, at most 32, is scored once for every task on
    the search split, and so is every layer without its delta. Scores are cached, so a search does not measure them
    again.

    Args:
        space: the space file.
        results: folder that holds the studies; the profile goes into this one's.
        generator: name of a generator of the space. The default is the first one. If the compressor has no parameter that
            is set per task, the default is the first generator that has one.
        compressor: name of a compressor of the space; by default the first with a parameter that is set per task.
        max_drops: mean drops in points, one per further design, besides the designs of the three modes.
        least: quantity to minimise for a drop: area of arrays, or energy.
        device: device that runs the models: auto, cpu or cuda.
        data: folder that holds files of the tasks; by default ``$DSE_DATA``, if it is set.
        cache: folder for downloads, fine-tuned models and scores; by default ``$DSE_CACHE``, or the user's cache
            folder.
        plugins: bare plugin files, besides those that the space file names.
        in_process: whether to evaluate in this process, as for `run`.
        cluster: cluster whose workers measure scores, as for `run`.
        insecure_cluster: whether a connection without encryption may leave this machine.
        activity: callback for what is being measured.

    Raises:
        SpaceError: the space file is not usable, or it has no parameter that is set per task.
    """
    wanted = request(space, device, cache, plugins, data=data)
    place: Any = {"in_process": in_process, "cluster": cluster, "insecure_cluster": insecure_cluster}
    with open_problem(wanted, activity, **place) as (problem, search_space, _):
        start = _choose_start(search_space, {"compressor": compressor, "generator": generator})
        chosen_by_task(search_space, start)  # before anything is fine-tuned needlessly
        problem.prepare(scores=True)
        measured = measure(problem, search_space, start, activity or ignore_progress)
        proposals = propose(measured, start, max_drops, least=least)
        costs = problem.cost([item.point for item in proposals])
    table = pd.DataFrame(rows_of(measured, search_space.tasks)).astype({"layer": "Int64", "setting": "Int64"})
    pairs = zip(proposals, costs, strict=True)
    designs = pd.DataFrame([_describe_proposal(*pair, search_space.tasks) for pair in pairs])
    folder = make_folder(Path(results) / search_space.file.name)
    path = write_whole(folder / PROFILE, lambda file: table.to_parquet(file, index=False))
    further = write_whole(folder / PROPOSALS, lambda file: designs.to_parquet(file, index=False))
    return Profiled(table, designs, path, further)


def _describe_proposal(proposal: Proposal, cost: CostResult, tasks: Sequence[str]) -> dict[str, object]:
    """Return a proposed design as a row of the table."""
    metrics = {name: cost.metrics[name] for name in ("area_mm2", "energy_uj", "array_area_ratio", "energy_ratio")}
    row = {"proposal": proposal.name, "expected_drop": proposal.expected_drop}
    return {**row, **metrics, "tasks": list(tasks), **design_cells(proposal.point)}


def _choose_start(space: SearchSpace, asked: Mapping[Kind, str | None]) -> DesignPoint:
    """Return the design with every default that uses the plugins to profile.

    By default these are the first compressor with a parameter that is set per task, and the first generator. If no
    compressor has such a parameter, the generator is the first one with such a parameter.
    """
    chosen: dict[str, str] = {}
    able_before = False
    for kind, name in asked.items():
        names = space.plugins[kind]
        if name is not None and name not in names:
            raise unknown_name(f"{kind} in this study", name, names, where=f"--{kind}")
        able = [other for other in names if per_task(space, kind, other)]
        chosen[kind] = name or (able[0] if able and not able_before else names[0])
        able_before = chosen[kind] in able
    return default_point(space, **chosen)
