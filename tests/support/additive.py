"""A problem with the structure of the real one: exact cost, and a score that is a mean over tasks."""

from __future__ import annotations

import math
from typing import Any

from dse.records.design import DesignPoint, PluginParameter
from dse.records.parameters import Choice, Float, Int
from dse.records.scored import CostResult, ScoreResult
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace
from tests.support.fakes import FakeProblem, Formula

TASKS = ("trec6", "trec50", "sms_spam", "privacyqa")
FRAGILE = (0.4, 2.5, 1.0, 0.7)
PARAMETERS = (
    PluginParameter("generator", "independent", Int(name="unused", low=0, high=0, default=0)),
    PluginParameter("compressor", "two-stage", Int(name="bits", low=1, high=4, default=4, scope=("task",))),
    PluginParameter(
        "compressor", "two-stage", Float(name="selective", low=0.0, high=0.75, default=0.0, step=0.125, scope=("task",))
    ),
    PluginParameter("compressor", "other", Choice(name="how", choices=("a", "b"), default="a")),
    PluginParameter("scheduler", "fixed", Int(name="batch", low=1, high=4, default=1, scores=False)),
    PluginParameter("hardware", "isaac", Int(name="tiles", low=8, high=8, default=8, scores=False)),
)


def additive_space(compressors: tuple[str, ...] = ("two-stage", "other"), **search: Any) -> SearchSpace:
    raw = {
        "schema": 1,
        "name": "additive",
        "workload": {"base": "minilm-l6", "tasks": list(TASKS)},
        "search": {
            "sampler": "graybox",
            "trials": 30,
            "seed": 1,
            "objectives": ["area", "energy", "accuracy"],
            **search,
        },
        "generator": {"plugins": ["independent"]},
        "compressor": {"plugins": list(compressors)},
        "scheduler": {"plugins": ["fixed"], "fixed": {"parameters": {"batch": {}}}},
        "hardware": {"plugins": ["isaac"]},
    }
    return resolve(parse(raw), PARAMETERS, TASKS, 2)


def setting(point: DesignPoint, task: int) -> Any:
    """Return what the compressor does to a task."""
    values: dict[str, Any] = dict(point.values)
    if point.compressor == "other":
        return values["compressor.other.how"]
    return values["compressor.two-stage.bits"][task], values["compressor.two-stage.selective"][task]


def share_of(point: DesignPoint, task: int) -> float:
    """Return the share of a task's arrays that are kept."""
    if point.compressor == "other":
        return 0.9 if setting(point, task) == "a" else 0.7
    bits, selective = setting(point, task)
    return float(bits / 4 * (1 - selective))


def recipes_of(point: DesignPoint) -> list[tuple[int, str, Any]]:
    return [(task, point.compressor, setting(point, task)) for task in range(len(TASKS))]


def sum_of_shares(point: DesignPoint) -> CostResult:
    area = 0.25 + sum(share_of(point, task) for task in range(len(TASKS))) / len(TASKS)
    energy = 1 + 0.5 * area / int(point.values["scheduler.fixed.batch"])  # type: ignore[arg-type]
    ratios = {"area_ratio": area, "array_area_ratio": area, "energy_ratio": energy / 1.5, "latency_ratio": 1.0}
    ratios |= {f"{name}_reference": ratio for name, ratio in ratios.items()}
    rest = {"latency_us": 10.0 / area, "cycle_us": 1.0, "offchip_mb": 1.0, "writes": 0.0}
    metrics = {"area_mm2": 100 * area, "energy_uj": energy, **ratios, **rest, "lifetime_years": None}
    return CostResult(metrics, {"arrays": 100 * area}, {"arrays": energy}, order=TASKS)


def mean_over_tasks(point: DesignPoint, split: str) -> ScoreResult:
    del split
    lost = [FRAGILE[task] * (1.2 - share_of(point, task)) ** 2 for task in range(len(TASKS))]
    tasks = {name: 0.9 - loss / 100 for name, loss in zip(TASKS, lost, strict=True)}
    mean = math.fsum(tasks.values()) / len(TASKS)
    drop = 100 * (0.9 - mean)
    drops = {f"accuracy_drop{end}": drop for end in ("", "_low", "_high", "_all", "_worst")}
    return ScoreResult({"score_mean": mean, **drops}, tasks)


ADDITIVE = Formula(PARAMETERS, TASKS, 2, sum_of_shares, mean_over_tasks, recipes_of, ("arrays",))


class Additive(FakeProblem):
    """Counts every task score that was not asked for before."""

    def __init__(self) -> None:
        super().__init__(ADDITIVE)
