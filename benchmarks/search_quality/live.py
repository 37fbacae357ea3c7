"""A study that measures its scores beside the same study on the record: both must take the same course."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.caches import without_scores
from benchmarks.search_quality.record import FOLDER
from benchmarks.search_quality.recorded import Recorded, searched
from dse.results.read import read_trials
from dse.study.provenance import Provenance
from dse.study.run import run

TRIALS = 24


def live(name: str, seed: int) -> dict[str, Any]:
    """Run both and compare every trial; no score of the live one is cached.

    Raises:
        AssertionError: other weights or data were recorded, or both proposed different designs.
    """
    from dse.commands.open import open_problem
    from dse.study.load import request

    recorded = Recorded(name, budget=10**6)
    with tempfile.TemporaryDirectory() as cache:
        asked = without_scores(request(FOLDER / f"{name}.toml", "auto", None, ()), Path(cache))
        with open_problem(asked, None, in_process=True) as (problem, space, _):
            problem.prepare(scores=True)
            live_problem: Any = problem
            assert live_problem.workload.digests == recorded.digests, (
                "other weights or data were recorded: record them again"
            )
            rows = [
                _rows(one, searched(space.file, one, sampler="graybox", seed=seed, trials=TRIALS, sampler_options={}))
                for one in (problem, recorded)
            ]
    designs = [column for column in rows[0] if column.startswith("param.")]
    assert rows[0][designs].astype(str).equals(rows[1][designs].astype(str)), "live and recorded studies differ"
    scores = [f"score.{task}" for task in recorded.tasks]
    apart = (rows[0][scores] - rows[1][scores]).abs().to_numpy().max()
    seconds = rows[0]["duration_s"].sum() / rows[0]["evaluated_tasks"].sum()
    return {"trials": len(rows[0]), "max_difference": float(apart), "score_s": float(seconds)}


def _rows(problem: Any, space: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return read_trials(run(problem, space, folder=Path(folder), provenance=Provenance()).folder)
