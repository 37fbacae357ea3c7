"""A fast problem that a formula solves, with the interface of the real one and optional faults."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dse.records.data_facts import DataFacts
from dse.records.design import DesignPoint, PluginParameter
from dse.records.parameters import Choice, Float, Int, Permutation
from dse.records.scored import CostResult, ScoreResult
from dse.space.file import parse
from dse.space.resolve import resolve
from dse.space.searchspace import SearchSpace

TASKS = ("trec6", "tweet_sent", "sst2")
LAYERS = 3
PARAMETERS = (
    PluginParameter("generator", "shared-prefix", Int(name="depth", low=0, high=2, default=0, scope=("task",))),
    PluginParameter("compressor", "none", Int(name="unused", low=0, high=0, default=0)),
    PluginParameter(
        "compressor",
        "two-stage",
        Float(name="cosine", low=0.5, high=0.99, default=0.9, step=0.01, limits=(0.1, 1.0), unit="1"),
    ),
    PluginParameter("compressor", "two-stage", Int(name="drop", low=0, high=8, default=0, scope=("layer",))),
    PluginParameter(
        "compressor", "two-stage", Choice(name="mode", choices=("a", "b"), allowed=("a", "b", "c"), default="a")
    ),
    PluginParameter("compressor", "two-stage", Int(name="mask", low=0, high=1, default=0, scope=("task", "layer"))),
    PluginParameter("compressor", "two-stage", Float(name="rate", low=1e-4, high=1e-1, default=1e-2, log=True)),
    PluginParameter("scheduler", "searched", Permutation(name="order")),
    PluginParameter("hardware", "isaac", Int(name="adc_bits", low=4, high=8, default=8, limits=(3, 10), scores=False)),
    PluginParameter("hardware", "isaac", Choice(name="rows", choices=(64, 128, 256), default=128, scores=False)),
)


def raw_space(**search: Any) -> dict[str, Any]:
    """A space file as read from TOML."""
    return {
        "schema": 1,
        "name": "fake",
        "workload": {"base": "minilm-l6", "tasks": list(TASKS)},
        "search": {"sampler": "random", "trials": 20, "seed": 3, **search},
        "generator": {"plugins": ["independent", "shared-prefix"]},
        "compressor": {"plugins": ["none", "two-stage"]},
        "scheduler": {"plugins": ["fixed", "searched"]},
        "hardware": {"plugins": ["isaac"], "isaac": {"parameters": {"adc_bits": {}}}},
    }


def fake_space(raw: dict[str, Any] | None = None, **search: Any) -> SearchSpace:
    return resolve(parse(raw if raw is not None else raw_space(**search)), PARAMETERS, TASKS, LAYERS)


def small_raw(**search: Any) -> dict[str, Any]:
    """A space of 15 designs: 5 converter resolutions times 3 array sizes."""
    raw = raw_space(**search)
    raw["generator"] = {"plugins": ["independent"]}
    raw["compressor"] = {"plugins": ["none"]}
    raw["scheduler"] = {"plugins": ["fixed"]}
    raw["hardware"]["isaac"]["parameters"]["rows"] = {}
    return raw


REPORT_LOSS = 0.25
"""Points a design loses more on the report split."""


@dataclass(frozen=True)
class Formula:
    """Analytic cost and scores of the designs of a space.

    Attributes:
        cost: cost of a design.
        score: score of a design on a split.
        recipes: what the score of each task depends on; None: `score` says itself how many scores it measured.
    """

    parameters: tuple[PluginParameter, ...]
    tasks: tuple[str, ...]
    layers: int
    cost: Callable[[DesignPoint], CostResult]
    score: Callable[[DesignPoint, str], ScoreResult]
    recipes: Callable[[DesignPoint], Sequence[Hashable]] | None = None
    components: tuple[str, ...] = ("arrays", "adc")


class FakeProblem:
    """A problem that a formula solves.

    Args:
        formula: cost and scores; by default those of `DAMAGE`.
        cost_fault: called with each point before its cost; may raise.
        score_fault: called with each point before its score; may raise.
        limit: area above which a point violates the hardware's limit.
        change: applied to each cost before it is handed out.
        change_score: applied to each score before it is handed out.
    """

    joint: tuple[str, ...] = ()
    data: tuple[DataFacts, ...] = ()

    def __init__(
        self,
        formula: Formula | None = None,
        *,
        cost_fault: Callable[[DesignPoint], None] = lambda _point: None,
        score_fault: Callable[[DesignPoint], None] = lambda _point: None,
        limit: float = math.inf,
        change: Callable[[CostResult], CostResult] = lambda cost: cost,
        change_score: Callable[[ScoreResult], ScoreResult] = lambda score: score,
    ) -> None:
        self.formula = formula or DAMAGE
        self.parameters, self.tasks = self.formula.parameters, self.formula.tasks
        self.layers, self.components = self.formula.layers, self.formula.components
        self.cost_fault = cost_fault
        self.score_fault = score_fault
        self.limit = limit
        self.change = change
        self.change_score = change_score
        self.prepared = 0
        self.costed: list[DesignPoint] = []
        self.scored: list[DesignPoint] = []
        self.known: set[Hashable] = set()

    def prepare(self, *, scores: bool) -> None:
        del scores
        self.prepared += 1

    def cost(self, points: list[DesignPoint]) -> list[CostResult]:
        return [self._cost(point) for point in points]

    def score(self, point: DesignPoint, split: str = "search") -> ScoreResult:
        self.score_fault(point)
        self.scored.append(point)
        score = self.formula.score(point, split)
        if self.formula.recipes is not None:
            recipes = self.formula.recipes(point)
            score = replace(score, evaluated=sum(recipe not in self.known for recipe in recipes))
            self.known.update(recipes)
        return self.change_score(score)

    def layer_scores(self) -> tuple[tuple[float, ...], ...]:
        raise NotImplementedError

    def _cost(self, point: DesignPoint) -> CostResult:
        self.cost_fault(point)
        self.costed.append(point)
        cost = self.formula.cost(point)
        total = cost.metrics.get("area_mm2") or 0.0
        if total > self.limit:
            reason = f"area {total:.3g} mm2 is above the reticle's {self.limit:g}"
            cost = replace(cost, violations=(reason,), violation=total - self.limit)
        return self.change(cost)


def cost_of_damage(point: DesignPoint) -> CostResult:
    values: dict[str, Any] = dict(point.values)
    bits, rows = int(values["hardware.isaac.adc_bits"]), int(values["hardware.isaac.rows"])
    arrays = 40.0 / (1 + damage_of(point)) * 128 / rows
    area = {"arrays": arrays, "adc": 2.0**bits / 64}
    energy = {"arrays": arrays / 7, "adc": 1.5**bits / 32 + rows / 256}
    total, joule = sum(area.values()), sum(energy.values())
    ratios = {
        "area_ratio": total / 44,
        "array_area_ratio": arrays / 40,
        "energy_ratio": joule / 7,
        "latency_ratio": 1.0,
    }
    metrics: dict[str, float | None] = {
        "area_mm2": total,
        "energy_uj": joule,
        "latency_us": 10.0 * bits + rows / 8,
        **ratios,
        **{f"{name}_reference": ratio for name, ratio in ratios.items()},
        "offchip_mb": 12.0,
        "writes": 0.0,
        "lifetime_years": None,
    }
    order = values.get("scheduler.searched.order", range(len(TASKS)))
    return CostResult(
        metrics,
        area,
        energy,
        order=tuple(TASKS[int(index)] for index in order),
        visit_us=tuple(10.0 * bits + index for index in range(len(TASKS))),
        switch_us=tuple(0.5 * index for index in range(len(TASKS))),
    )


def score_of_damage(point: DesignPoint, split: str) -> ScoreResult:
    damage = damage_of(point)
    tasks = {task: 0.9 - damage * (1 + index) / 10 for index, task in enumerate(TASKS)}
    mean = sum(tasks.values()) / len(tasks)
    drop = 100 * (0.9 - mean) + (REPORT_LOSS if split == "report" else 0)
    metrics = {
        "score_mean": mean,
        "accuracy_drop": drop,
        "accuracy_drop_low": drop - 0.5,
        "accuracy_drop_high": drop + 0.5,
        "accuracy_drop_all": drop,
        "accuracy_drop_worst": drop * 1.5,
    }
    return ScoreResult(metrics, tasks, flagged=("sst2",) if damage > 1 else (), evaluated=2)


def damage_of(point: DesignPoint) -> float:
    """How far a design is from its fine-tuned tasks, 0 for the baseline."""
    values: dict[str, Any] = dict(point.values)
    damage: float = 0.1 * sum(values.get("generator.shared-prefix.depth", (0,)))
    if point.compressor == "two-stage":
        own = {name.removeprefix("compressor.two-stage."): value for name, value in values.items()}
        damage += 1.1 - float(own["cosine"])
        damage += 0.05 * sum(own["drop"]) + 0.02 * sum(map(sum, own["mask"]))
        damage += 0.03 * abs(math.log10(float(own["rate"])))
        damage += 0.1 * (own["mode"] == "b")
    return damage


DAMAGE = Formula(PARAMETERS, TASKS, LAYERS, cost_of_damage, score_of_damage)


def put(raw: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Set a value at a dotted path."""
    *above, last = path.split("/")
    table = raw
    for key in above:
        table = table.setdefault(key, {})
    table[last] = value
    return raw
