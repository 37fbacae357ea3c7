"""The profiler: how much each task bears, measured once, and the hyper-parameters that follow.

After Kang et al., ICCAD 2021: tasks differ in how far their differences from the base may be compressed, so each (there,
each cluster of alike tasks, by K-means) gets its own hyper-parameters for a mode that favours accuracy or area. The paper
publishes neither its measure of resilience nor its rule; both here are ours. Every setting of the per-task parameters of
compressor and generator is scored once on the search split. Arrays, and energy, add up over tasks and drops are a mean over
tasks, so the settings with the fewest arrays, or the least energy, for a mean drop follow exactly, by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dse.errors import SpaceError
from dse.records.callbacks import ProgressCallback
from dse.records.design import DesignPoint
from dse.records.parameters import Scalar
from dse.records.plugin import Kind
from dse.records.problem import Problem
from dse.space.domain import Domain, at, size, snap_value
from dse.space.searchspace import SearchedParameter, SearchSpace

MOST_SETTINGS = 32
"""Settings of a task that are scored; ranges are thinned until no more are left."""
CLUSTERS = 4
MODES = {"acc": 0.15, "opt": 0.5, "agg": 2.0}
"""Mean drop in points each mode may cost on the search split. The paper measured a gain of 0.1 and drops of 0.7 and 2.7;
these lie below, since a choice looks better on the rows it was made by."""
UNIT = 0.01
"""Points of drop in one step of the dynamic programme."""
RATIOS = {"area": "array_area_ratio", "energy": "energy_ratio"}
"""What proposals may have least of, and its column."""
PROFILED: tuple[Kind, ...] = ("generator", "compressor")
"""Kinds of plugin whose per-task parameters change what a task's scores are."""
Ratios: TypeAlias = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Resilience:
    """What was measured.

    Attributes:
        generator: plugin whose settings these are, with the compressor.
        compressor: likewise.
        settings: values by full parameter name, the same for every task.
        drops: (T, S) points each task loses to the baseline.
        scores: (T, S).
        extra: (T, S) what each task adds to the ratio of its least setting, by column of `RATIOS`.
        uniform: (S,) ratio of the design that gives every task the setting, by column.
        layers: (T, L) points a task loses when one layer has the base's matrices.
        clusters: (T,) tasks that bear alike, numbered from the most to the least resilient.
    """

    generator: str
    compressor: str
    settings: tuple[Mapping[str, Scalar], ...]
    drops: NDArray[np.float64]
    scores: NDArray[np.float64]
    extra: Mapping[str, NDArray[np.float64]]
    uniform: Mapping[str, NDArray[np.float64]]
    layers: NDArray[np.float64]
    clusters: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A design that follows from the profile.

    Attributes:
        name: the mode, or ``drop<=X``.
        chosen: setting of each task.
        expected_drop: mean over tasks of what was measured for these settings one by one.
        point: the design.
    """

    name: str
    chosen: tuple[int, ...]
    expected_drop: float
    point: DesignPoint


def profile(problem: Problem, space: SearchSpace, start: DesignPoint, told: ProgressCallback) -> Resilience:
    """Score every setting of the per-task parameters of a design's generator and compressor, and every layer.

    Args:
        problem: prepared, with scores.
        space: names the values the parameters may take.
        start: the design around which settings change.
        told: is told what is being measured.

    Raises:
        SpaceError: neither plugin has something to choose for each task.
    """
    settings, tasks = _settings(chosen_by_task(space, start)), space.tasks
    uniform = [with_settings(start, [setting] * len(tasks)) for setting in settings]
    scores, drops = np.zeros((2, len(tasks), len(settings)))
    for index, point in enumerate(uniform):
        told(f"setting {index + 1} of {len(settings)} on every task", index / len(settings))
        result = problem.score(point)
        scores[:, index] = [result.tasks[name] for name in tasks]
        drops[:, index] = [100 * (result.baseline[name] - result.tasks[name]) for name in tasks]
        own = np.array([100 * result.baseline[name] for name in tasks])
    layers = own[:, None] - 100 * np.array(problem.layer_scores())
    clusters = cluster(np.concatenate([drops, layers], axis=1), drops.mean(axis=1))
    ratios, extra = _costs(problem, start, settings, uniform)
    return Resilience(start.generator, start.compressor, settings, drops, scores, extra, ratios, layers, clusters)


def chosen_by_task(space: SearchSpace, start: DesignPoint) -> list[SearchedParameter]:
    """Give what a design's generator and compressor let each task choose.

    Raises:
        SpaceError: nothing.
    """
    plugins = {kind: start.plugin(kind) for kind in PROFILED}
    found = [item for kind, name in plugins.items() for item in per_task(space, kind, name)]
    if not found:
        raise SpaceError(
            f"{' and '.join(f'{kind} {name!r}' for kind, name in plugins.items())} have nothing to choose for each task, "
            "so there is nothing to profile",
            where=space.file.where("compressor", start.compressor, "parameters"),
            expected="a range for at least one parameter that is set per task",
        )
    return found


def per_task(space: SearchSpace, kind: Kind, name: str) -> list[SearchedParameter]:
    """Give a plugin's parameters that are set per task and not fixed."""
    return [
        item
        for item in space.by_plugin[kind, name]
        if item.declared.parameter.scope == ("task",) and any(not element.is_fixed for element in item.elements)
    ]


def _costs(
    problem: Problem, start: DesignPoint, settings: Sequence[Mapping[str, Scalar]], uniform: list[DesignPoint]
) -> tuple[Ratios, Ratios]:
    """Cost of each setting on every task (S,), and what it adds on one task (T, S), where the others have the least."""
    tasks = len(problem.tasks)
    costs = problem.cost(uniform)
    ratios, extra = {}, {}
    for metric in RATIOS.values():
        ratios[metric] = np.array([float(cost.metrics[metric] or 0) for cost in costs])
        least = settings[int(ratios[metric].argmin())]
        singles = [
            with_settings(start, [setting if at_task == task else least for at_task in range(tasks)])
            for task in range(tasks)
            for setting in settings
        ]
        found = np.array([float(cost.metrics[metric] or 0) for cost in problem.cost(singles)])
        extra[metric] = found.reshape(tasks, len(settings)) - ratios[metric].min()
    return ratios, extra


def propose(
    found: Resilience, start: DesignPoint, max_drops: Iterable[float] = (), *, least: str = "area"
) -> tuple[Proposal, ...]:
    """Give the designs of the three modes, one setting a cluster, and one for each stated drop, one setting a task.

    Args:
        found: what was measured.
        start: the design around which settings change.
        max_drops: mean drops in points.
        least: of what the designs have least, a key of `RATIOS`.
    """
    groups = dict.fromkeys(MODES, found.clusters)
    budgets = dict(MODES)
    for max_drop in max_drops:
        name = f"drop<={max_drop:g}"
        groups[name], budgets[name] = np.arange(len(found.drops)), max_drop
    return tuple(
        _proposal(found, start, name, groups[name], (budget, RATIOS[least])) for name, budget in budgets.items()
    )


def with_settings(point: DesignPoint, settings: Sequence[Mapping[str, Scalar]]) -> DesignPoint:
    """Give each task its setting."""
    values = {name: tuple(setting[name] for setting in settings) for name in settings[0]}
    return replace(point, values={**point.values, **values})


def cluster(bears: NDArray[np.float64], order: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cluster tasks by what they lose (T, measurements), with K-means; number clusters by their mean of ``order``."""
    from sklearn.cluster import KMeans

    count = min(CLUSTERS, len(np.unique(bears, axis=0)))
    labels = KMeans(count, n_init=10, random_state=0).fit_predict(np.sign(bears) * np.log1p(np.abs(bears)))
    ranked = sorted(range(count), key=lambda label: float(order[labels == label].mean()))
    return np.array([ranked.index(label) for label in labels])


def smooth(drops: NDArray[np.float64], extra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make one task's drops (S,) fall with what it costs, and none negative: what else they do is noise of the split."""
    from sklearn.isotonic import IsotonicRegression

    return np.asarray(IsotonicRegression(y_min=0.0, increasing=False).fit_transform(extra, drops))


def _proposal(
    found: Resilience, start: DesignPoint, name: str, groups: NDArray[np.int64], within: tuple[float, str]
) -> Proposal:
    budget, metric = within
    tasks, extra = len(found.drops), found.extra[metric]
    losses = np.stack([smooth(*pair) for pair in zip(found.drops, extra, strict=True)])
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    picks = cheapest(
        np.stack([losses[part].sum(axis=0) for part in members]),
        np.stack([extra[part].sum(axis=0) for part in members]),
        budget * tasks,
    )
    chosen = [0] * tasks
    for part, pick in zip(members, picks, strict=True):
        for task in part:
            chosen[task] = pick
    point = with_settings(start, [found.settings[pick] for pick in chosen])
    expected = float(np.mean([found.drops[task, pick] for task, pick in enumerate(chosen)]))
    return Proposal(name, tuple(chosen), expected, point)


def cheapest(losses: NDArray[np.float64], extra: NDArray[np.float64], budget: float) -> list[int]:
    """Pick one setting (of S) for each group (of G) so that losses sum to at most the budget and costs to the least.

    Exact in steps of `UNIT`. Where even the smallest losses exceed the budget, these are picked.

    Args:
        losses: (G, S) points, >= 0.
        extra: (G, S) costs.
        budget: of the sum of losses.
    """
    steps = np.ceil(losses / UNIT - 1e-9).astype(int)
    most = max(int(budget / UNIT + 1e-9), int(steps.min(axis=1).sum()))
    best = np.zeros(most + 1)
    picks = np.zeros((len(steps), most + 1), dtype=int)
    for group, costs in enumerate(steps):
        options = np.full((len(costs), most + 1), np.inf)
        for setting, cost in enumerate(costs):
            if cost <= most:
                options[setting, cost:] = best[: most + 1 - cost] + extra[group, setting]
        picks[group] = options.argmin(axis=0)
        best = options.min(axis=0)
    chosen, left = [], most
    for group in reversed(range(len(steps))):
        chosen.append(int(picks[group, left]))
        left -= int(steps[group, chosen[-1]])
    return chosen[::-1]


def _settings(searched: Sequence[SearchedParameter]) -> tuple[Mapping[str, Scalar], ...]:
    """Give the grid of the parameters' values, thinned until it is small enough."""
    domains = [next(element.domain for element in item.elements if not element.is_fixed) for item in searched]
    names = [item.declared.full_name for item in searched]
    for levels in range(MOST_SETTINGS, 1, -1):
        values = [_levels(domain, levels) for domain in domains]
        grid = [dict(zip(names, chosen, strict=True)) for chosen in product(*values)]
        if len(grid) <= MOST_SETTINGS:
            break
    return tuple(grid)


def _levels(domain: Domain, most: int) -> list[Scalar]:
    """At most so many values of a domain, its ends among them, evenly spread."""
    count = size(domain)
    if count <= most:
        return [at(domain, index) for index in range(int(count))]
    if np.isfinite(count):
        return [at(domain, round(index * (count - 1) / (most - 1))) for index in range(most)]
    low, high = float(domain.low), float(domain.high)  # type: ignore[union-attr]  # a choice is never endless
    return [snap_value(domain, low + (high - low) * index / (most - 1)) for index in range(most)]


def rows_of(found: Resilience, tasks: Sequence[str]) -> list[dict[str, Any]]:
    """Give one row for each task and setting, and one for each task and layer, as a table holds them."""
    rows: list[dict[str, Any]] = []
    for task, name in enumerate(tasks):
        plugins = {"generator": found.generator, "compressor": found.compressor}
        common = {"task": name, **plugins, "cluster": int(found.clusters[task])}
        for index, setting in enumerate(found.settings):
            rows.append(
                common
                | {"layer": None, "setting": index}
                | {f"param.{key}": value for key, value in setting.items()}
                | {
                    "score": float(found.scores[task, index]),
                    "drop": float(found.drops[task, index]),
                }
                | {f"extra_{metric}": float(extra[task, index]) for metric, extra in found.extra.items()}
                | {metric: float(ratio[index]) for metric, ratio in found.uniform.items()}
            )
        rows += [
            common | {"layer": layer, "setting": None, "drop": float(lost)}
            for layer, lost in enumerate(found.layers[task])
        ]
    return rows
