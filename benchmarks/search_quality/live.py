"""A study that measures its scores beside the same study on the record: both must take the same course."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.search_quality.record import FOLDER
from benchmarks.search_quality.recorded import Recorded, searched
from dse.results.read import read_trials
from dse.search.provenance import Provenance
from dse.search.study import run

TRIALS = 24


def live(name: str, seed: int) -> dict[str, Any]:
    """Run both and compare every trial.

    Raises:
        AssertionError: they proposed different designs.
    """
    from dse.loading import loaded, request

    recorded = Recorded(name, budget=10**6)
    with loaded(request(FOLDER / f"{name}.toml", "auto", None, ()), None, in_process=True) as (problem, space, _):
        rows = [
            _rows(one, searched(space.file, one, sampler="graybox", seed=seed, trials=TRIALS, sampler_options={}))
            for one in (problem, recorded)
        ]
    designs = [column for column in rows[0] if column.startswith("param.")]
    assert rows[0][designs].astype(str).equals(rows[1][designs].astype(str)), "live and recorded studies differ"
    scores = [f"score.{task}" for task in recorded.tasks]
    apart = (rows[0][scores] - rows[1][scores]).abs().to_numpy().max()
    return {"trials": len(rows[0]), "max_difference": float(apart)}


def _rows(problem: Any, space: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return read_trials(run(problem, space, folder=Path(folder), provenance=Provenance()).folder)
