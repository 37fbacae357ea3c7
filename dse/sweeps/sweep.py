"""Sweep a space: cost designs in order, part by part, and keep the front over all parts."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from dse.errors import SpaceError
from dse.records.callbacks import MessageCallback, ProgressCallback, ignore_message
from dse.results.columns import Column, find_metric
from dse.results.query import answer_views
from dse.space.constraints import constraints_of
from dse.space.searchspace import SearchSpace
from dse.study.log.history import History
from dse.study.open import hold, session_event
from dse.study.provenance import ACCOUNTING, Provenance
from dse.study.run import check_components
from dse.sweeps.columns import BlockEvaluator
from dse.sweeps.designs import Designs
from dse.sweeps.folder import SweepFolder, check_room

if TYPE_CHECKING:
    from dse.score.problem import WorkloadProblem

PART = 32_768
"""Designs of a part: so many are lost at most when a sweep is killed."""
Keep = Literal["front", "all"]


@dataclass(frozen=True, slots=True)
class Swept:
    """Results of a sweep.

    Attributes:
        folder: folder of the sweep.
        pareto: path of the table of the front.
        rows: number of designs that were costed, or are in parts of an earlier run.
        front: number of designs on the front.
        hypervolume: hypervolume of the front; None without references.
        interrupted: whether a person stopped the sweep.
    """

    folder: Path
    pareto: Path
    rows: int
    front: int
    hypervolume: float | None
    interrupted: bool = False


def sweep(
    problem: WorkloadProblem,
    space: SearchSpace,
    provenance: Provenance,
    folder: Path,
    *,
    designs: int | None = None,
    where: str | None = None,
    keep: Keep = "all",
    activity: ProgressCallback,
    hook: MessageCallback = ignore_message,
) -> Swept:
    """Cost the designs of a space, or go on where a sweep into the same folder ended.

    Args:
        problem: source of costs.
        space: the resolved space.
        provenance: versions and hashes of plugins, models and data.
        folder: folder of the sweep.
        designs: number of designs; None: every one of a finite space.
        where: condition in SQL over the columns; designs that do not fulfil it leave no row.
        keep: rows to keep: all, or those on the front of their part and the parts before it.
        activity: callback for progress.
        hook: callback before and after each part is written; for tests.

    Raises:
        SpaceError: the space is infinite and no number is given, or a limit or every objective needs a score.
        StudyError: the folder holds something else, or the disk is full.
        QueryError: the condition is refused.
    """
    space = leave_out_scores(space)
    check_components(space, problem)
    if designs is None and math.isinf(space.size):
        fix = "say how many with --designs, or give each real parameter a `step`"
        raise SpaceError("the space has endlessly many designs", where=space.file.path, fix=fix)
    wanted = Designs(space, designs)
    with hold(folder):
        check_room(folder, wanted.count if keep == "all" else 0)
        header = session_event(space, provenance, problem.components, History(), ())
        header["sweep"] = {"designs": wanted.count, "where": where, "keep": keep, "part": PART}
        columns = [Column(*item) for item in header["columns"]]
        target = SweepFolder(folder, header, space, columns)
        problem.prepare(scores=False)
        text = json.dumps({"dse": header["versions"]["dse"], **header["plugins"]})
        shared = {"versions": text, "tasks": list(space.tasks), "accounting": ACCOUNTING}
        evaluator = BlockEvaluator(problem, space.file, columns, shared)
        rows, interrupted = 0, False
        try:
            for number, part in enumerate(_cost_parts(wanted, target, evaluator, where, activity)):
                if part is not None:
                    hook("part:writing")
                    target.write(number, part, keep_all=keep == "all")
                    hook("part:written")
                rows = min((number + 1) * PART, wanted.count)
        except KeyboardInterrupt:
            interrupted = True
        return Swept(folder, target.finish(), rows, len(target.front), target.volume(), interrupted)


def leave_out_scores(space: SearchSpace) -> SearchSpace:
    """Return the space with the objectives on costs alone.

    Raises:
        SpaceError: a limit or every objective needs a score.
    """
    file = space.file
    for limit in constraints_of(file):
        if limit.needs_score:
            raise SpaceError(
                "a sweep measures no score, and this limit needs one",
                where=file.where("search", "constraints", limit.metric),
                fix="leave the limit out, and search accuracy with `dse run`",
            )
    pairs = zip(file.search.objectives, file.objectives, strict=True)
    cheap = [given for given, item in pairs if not item.needs_score]
    if not cheap:
        raise SpaceError(
            "a sweep measures no score, and every objective needs one",
            where=file.where("search", "objectives"),
            expected="an objective on costs, such as area",
        )
    columns = {item.column for item in file.objectives if item.needs_score}
    given = file.search.reference_point
    point = given and {name: value for name, value in given.items() if not _needs_score(name, columns)}
    search = file.search.model_copy(update={"objectives": cheap, "reference_point": point})
    return replace(space, file=file.model_copy(update={"search": search}))


def _needs_score(name: str, columns: set[str]) -> bool:
    metric = find_metric(name)
    return name in columns or (metric is not None and metric.needs_score)


def _cost_parts(
    designs: Designs, target: SweepFolder, evaluator: BlockEvaluator, where: str | None, activity: ProgressCallback
) -> Iterator[pa.Table | None]:
    """Yield the rows of each part, or None for a part that is written."""
    parts = math.ceil(designs.count / PART)
    for number in range(parts):
        started = time.perf_counter()
        blocks = designs.find(number * PART, min(PART, designs.count - number * PART))
        if target.has(number):
            yield None
            continue
        tables = [evaluator.cost(chunk) for block in blocks for chunk in block.cut(evaluator.chunk)]
        rows = pa.concat_tables([evaluator.schema.empty_table(), *tables])
        yield _choose(rows, where)
        rate = sum(len(block.numbers) for block in blocks) / (time.perf_counter() - started)
        volume = target.volume()
        measured = "" if volume is None else f", hypervolume {volume:.4g}"
        activity(f"part {number + 1} of {parts}: {rate:.0f} designs/s, front {len(target.front)}{measured}", 1.0)


def _choose(rows: pa.Table, where: str | None) -> pa.Table:
    if where is None or not len(rows):
        return rows

    sql = f"SELECT trial FROM trials WHERE ({where}\n)"  # noqa: S608  # the user's own SQL on their own rows
    chosen = answer_views({"trials": rows}, sql, where="--where", condition=where)
    return rows.filter(pc.is_in(rows["trial"], chosen["trial"].combine_chunks()))
