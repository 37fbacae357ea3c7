"""Every way to store a delta, at a row of settings each, on the eight packaged tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.problems import SPACES

SPACE = SPACES / "deltas.toml"
DESIGNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("two-stage", {"cosine": 0.95, "max_bits": 1, "selective": 0.0}),
    ("two-stage", {"cosine": 0.95, "max_bits": 1, "selective": 0.5}),
    ("ternary", {"density": 0.5}),
    ("bitdelta", {"scale": "matrix"}),
    ("bitdelta", {"scale": "channel"}),
    ("dare", {"bits": 1, "drop": 0.0}),
    ("dare", {"bits": 1, "drop": 0.5}),
    ("dare", {"bits": 1, "drop": 0.9}),
    *(("low-rank", {"rank": rank, "precise": 0.0, "low_bits": 1}) for rank in (42, 128)),
    ("low-rank", {"rank": 128, "precise": 0.25, "high_bits": 3, "low_bits": 1}),
    *(("tile-drop", {"keep": keep, "by": by}) for by in ("norm", "effect") for keep in (0.7, 0.4)),
    *(("mixed-precision", {"bits": bits}) for bits in (1.0, 0.7, 0.4)),
    *(("graded", {"base_bits": 8, "share": share}) for share in (0.7, 0.4)),
)
"""Compressor, and values of its parameters, the same for every task."""
COLUMNS = (
    "array_area_ratio",
    "energy_ratio",
    "latency_ratio",
    "accuracy_drop",
    "accuracy_drop_low",
    "accuracy_drop_high",
)


def measure(results: Path) -> list[dict[str, Any]]:
    """Score each design on the search split.

    Args:
        results: folder for the study.
    """
    from dse.commands.open import open_problem
    from dse.results.read import read_trials
    from dse.space.searchspace import default_point
    from dse.study.load import request
    from dse.study.run import run

    with open_problem(request(SPACE, "auto", None, ()), None, in_process=False) as (problem, space, provenance):
        points = []
        for name, values in DESIGNS:
            point = default_point(space, compressor=name)
            ours = {f"compressor.{name}.{parameter}": value for parameter, value in values.items()}
            for full, value in ours.items():
                default = point.values[full]
                ours[full] = (value,) * len(default) if isinstance(default, tuple) else value
            points.append(replace(point, values={**point.values, **ours}))
        done = run(problem, space, folder=results / "deltas", provenance=provenance, trials=len(points), enqueue=points)
    rows = read_trials(done.folder).to_dict("records")
    return [
        {"compressor": name, "values": values} | {column: float(row[column]) for column in COLUMNS}
        for (name, values), row in zip(DESIGNS, rows, strict=True)
    ]
