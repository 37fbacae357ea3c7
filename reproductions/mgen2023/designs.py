"""One choice of `mgen` after another, the rest at their defaults, on the eight packaged tasks and the search split."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.caches import fine_tuned_only
from reproductions.mgen2023.studies import SEEDS, SHARED, problem_of, space_of

Values = dict[str, Any]
DESIGNS: dict[str, tuple[Values, ...]] = {
    "trained": (
        *({"layers": layers} for layers in (6, 5, 4)),
        *({"layers": 4, "ffn": ffn} for ffn in (0.875, 0.75, 0.5)),
        {"layers": 4, "heads": 0.75},
        {"layers": 4, "heads": 0.75, "ffn": 0.75},
        *({"layers": layers, "own": 1} for layers in (6, 5)),
    ),
    "trained.independent": (
        {"layers": 6},
        *({"layers": 6, "confidence": sure} for sure in (0.95, 0.9, 0.8)),
        *({"layers": 4, "confidence": sure} for sure in (1.0, 0.9)),
    ),
    "free.independent": (
        *({"heads": heads} for heads in (0.8, 0.6)),
        *({"ffn": ffn} for ffn in (0.85, 0.7, 0.55)),
        *({"confidence": sure} for sure in (0.95, 0.9, 0.85)),
        {"heads": 0.8, "ffn": 0.85, "confidence": 0.95},
    ),
    "free": tuple({"trunk": trunk} for trunk in (1, 2)),
    "free.merged": tuple({"trunk": trunk} for trunk in (1, 2)),
}
"""Parameters of `mgen` by study; what is a task's own is the same for all. Merged: shared layers are the
mean of the tasks' own instead of the base's."""
MERGED = (('route = "free"', 'route = "free"\nmerged = true'),)
COLUMNS = ("accuracy_drop", "accuracy_drop_low", "accuracy_drop_high")


def measure(results: Path) -> list[dict[str, Any]]:
    """Score each design on the search split.

    Args:
        results: folder for the space files.
    """
    return [row for study in DESIGNS for row in _of_study(study, results)]


def _of_study(study: str, results: Path) -> list[dict[str, Any]]:
    name, merged = study.removesuffix(".merged"), study.endswith(".merged")
    problem = problem_of(space_of(name, results, 0, further=MERGED if merged else ()))
    problem.prepare(scores=True)
    plain = problem.default_point(("mgen", "none", "fixed", "isaac"))
    rows = []
    for design in DESIGNS[study]:
        values = dict(plain.values)
        for name, value in design.items():
            full = f"generator.mgen.{name}"
            values[full] = (value,) * len(problem.tasks) if isinstance(values[full], tuple) else value
        point = replace(plain, values=values)
        (cost,), score = problem.cost([point]), problem.score(point)
        rows.append(
            {
                "study": study,
                "values": design,
                **{name: cost.metrics[name] for name in ("energy_ratio", "array_area_ratio", "latency_ratio")},
                **{name: score.metrics[name] for name in COLUMNS},
                "layers_run": score.layers_run,
            }
        )
    return rows


def ratio_elsewhere(found: dict[str, Any], study: str, results: Path) -> float:
    """Energy of a design, to separate models, where inputs are shared if those it was chosen on are not, or the other way.

    Args:
        found: the design as it is recorded; its scores are the same.
        study: name of the study that chose it.
        results: folder for the space file.
    """
    swap = SHARED if study.endswith("independent") else (SHARED[1], SHARED[0])
    problem = problem_of(space_of(study, results, 0, further=(swap,)))
    problem.prepare(scores=False)
    plain = problem.default_point(("mgen", "none", "fixed", "isaac"))
    kept = {key: tuple(value) if isinstance(value, list) else value for key, value in found["design"].items()}
    (cost,) = problem.cost([replace(plain, values={**plain.values, **kept})])
    return float(cost.metrics["energy_ratio"] or 0.0)


def train_minutes() -> float:
    """Time the training of every depth with nothing cached except fine-tuned models; what was trained is kept."""
    with fine_tuned_only("joint", "plugins") as cache:
        problem = problem_of(space_of("trained", cache.parent, SEEDS[-1]), cache)
        for task in range(len(problem.tasks)):
            problem.context.task_weights(task)  # fine-tunes what has not been
        start = time.perf_counter()
        problem.prepare(scores=False)
        return (time.perf_counter() - start) / 60
