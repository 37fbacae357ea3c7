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


def additive_space(**search: Any) -> SearchSpace:
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
        "compressor": {"plugins": ["two-stage", "other"]},
        "scheduler": {"plugins": ["fixed"], "fixed": {"parameters": {"batch": {}}}},
        "hardware": {"plugins": ["isaac"]},
    }
    return resolve(parse(raw), PARAMETERS, TASKS, 2)


class Additive:
    """Counts every task score that was not asked for before."""

    parameters, tasks, layers, components, joint = PARAMETERS, TASKS, 2, ("arrays",), ()

    def __init__(self) -> None:
        self.known: set[tuple[Any, ...]] = set()
        self.costed = 0

    def prepare(self, *, scores: bool) -> None:
        del scores

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        self.costed += len(points)
        return [self._cost(point) for point in points]

    def _cost(self, point: DesignPoint) -> CostResult:
        share = [self._share(point, task) for task in range(len(TASKS))]
        area = 0.25 + sum(share) / len(TASKS)
        energy = 1 + 0.5 * area / int(point.values["scheduler.fixed.batch"])  # type: ignore[arg-type]
        ratios = {"area_ratio": area, "array_area_ratio": area, "energy_ratio": energy / 1.5, "latency_ratio": 1.0}
        rest = {"latency_us": 10.0 / area, "cycle_us": 1.0, "offchip_mb": 1.0, "writes": 0.0}
        metrics = {"area_mm2": 100 * area, "energy_uj": energy, **ratios, **rest, "lifetime_years": None}
        return CostResult(metrics, {"arrays": 100 * area}, {"arrays": energy}, order=TASKS)

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        del split
        settings = [(task, point.compressor, self._setting(point, task)) for task in range(len(TASKS))]
        new = sum(setting not in self.known for setting in settings)
        self.known.update(settings)
        lost = [FRAGILE[task] * (1.2 - self._share(point, task)) ** 2 for task in range(len(TASKS))]
        tasks = {name: 0.9 - loss / 100 for name, loss in zip(TASKS, lost, strict=True)}
        mean = math.fsum(tasks.values()) / len(TASKS)
        drop = 100 * (0.9 - mean)
        drops = {f"accuracy_drop{end}": drop for end in ("", "_low", "_high", "_all", "_worst")}
        return ScoreResult({"score_mean": mean, **drops}, tasks, evaluated=new)

    def _setting(self, point: DesignPoint, task: int) -> Any:
        if point.compressor == "other":
            return point.values["compressor.other.how"]
        values = point.values
        return values["compressor.two-stage.bits"][task], values["compressor.two-stage.selective"][task]  # type: ignore[index]

    def _share(self, point: DesignPoint, task: int) -> float:
        if point.compressor == "other":
            return 0.9 if point.values["compressor.other.how"] == "a" else 0.7
        bits, selective = self._setting(point, task)
        return float(bits / 4 * (1 - selective))
