"""The profiler: it measures once how much each task tolerates, and proposes settings per task.

It follows Kang et al., ICCAD 2021. Tasks differ in how far their deltas may be compressed, so each task (in the paper, each
cluster of similar tasks, by K-means) gets its own setting for a mode that favours accuracy or area. The paper publishes
neither its measure of resilience nor its rule; both here are ours. Every setting of the per-task parameters of compressor
and generator is scored once on the search split. Arrays and energy add up over tasks, and the drop is a mean over tasks.
Dynamic programming thus finds exactly the settings with the fewest arrays, or the least energy, for a mean drop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from dse.errors import SpaceError
from dse.records.arrays import Floats, Ints
from dse.records.callbacks import ProgressCallback
from dse.records.design import DesignPoint
from dse.records.parameters import Scalar
from dse.records.plugin import Kind
from dse.records.problem import Foresighted, Problem
from dse.space.domain import Domain, at, size, snap_value
from dse.space.searchspace import SearchedParameter, SearchSpace

MOST_SETTINGS = 32
"""Largest number of settings of a task that are scored; ranges are thinned to keep this limit."""
CLUSTERS = 4
MODES = {"acc": 0.15, "opt": 0.5, "agg": 2.0}
"""Mean drop in points that each mode may cost on the search split. The paper measured a gain of 0.1 and drops of 0.7 and 2.7;
these limits are lower, since a choice looks better on the rows that it was made by."""
UNIT = 0.01
"""Points of drop in one step of the dynamic programme."""
RATIOS = {"area": "array_area_ratio", "energy": "energy_ratio"}
"""Costs that proposals may minimise, and the column of each."""
PROFILED: tuple[Kind, ...] = ("generator", "compressor")
"""Kinds of plugin whose per-task parameters change a task's scores."""
Ratios: TypeAlias = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Resilience:
    """Measurements of a profile.

    Attributes:
        generator: generator whose parameters the settings cover.
        compressor: compressor whose parameters the settings cover.
        settings: S settings, each with values by full parameter name, the same for every task.
        drops: points that each task loses to the baseline, shape (T, S).
        scores: score of each task, shape (T, S).
        extra: ratio that a setting on one task adds to the smallest uniform ratio, by column of `RATIOS`, shape (T, S).
        uniform: ratio of the design that gives every task the setting, by column of `RATIOS`, shape (S,).
        layers: points that a task loses when one layer has the base's matrices, shape (T, L).
        clusters: cluster of each task by its losses, numbered from the most to the least resilient, shape (T,).
    """

    generator: str
    compressor: str
    settings: tuple[Mapping[str, Scalar], ...]
    drops: Floats
    scores: Floats
    extra: Mapping[str, Floats]
    uniform: Mapping[str, Floats]
    layers: Floats
    clusters: Ints


@dataclass(frozen=True, slots=True)
class Proposal:
    """A design that follows from the profile.

    Attributes:
        name: name of the mode, or ``drop<=X``.
        chosen: index of each task's setting.
        expected_drop: mean over tasks of the drops measured for these settings one by one, points.
        point: the design.
    """

    name: str
    chosen: tuple[int, ...]
    expected_drop: float
    point: DesignPoint


def profile(problem: Problem, space: SearchSpace, start: DesignPoint, progress: ProgressCallback) -> Resilience:
    """Score every setting of the per-task parameters of a design's generator and compressor, and every layer.

    Args:
        problem: problem that is prepared for scores.
        space: search space with the values that the parameters may take.
        start: design around which settings change.
        progress: callback for the current measurement and the share done.

    Raises:
        SpaceError: neither plugin has a parameter to choose for each task.
    """
    settings, tasks = _settings(chosen_by_task(space, start)), space.tasks
    uniform = [with_settings(start, [setting] * len(tasks)) for setting in settings]
    scores, drops = np.zeros((2, len(tasks), len(settings)))
    if isinstance(problem, Foresighted):
        problem.expect(uniform)
    for index, point in enumerate(uniform):
        progress(f"setting {index + 1} of {len(settings)} on every task", index / len(settings))
        result = problem.score(point)
        scores[:, index] = [result.tasks[name] for name in tasks]
        drops[:, index] = [100 * (result.baseline[name] - result.tasks[name]) for name in tasks]
        own = np.array([100 * result.baseline[name] for name in tasks])
    layers = own[:, None] - 100 * np.array(problem.layer_scores())
    clusters = cluster(np.concatenate([drops, layers], axis=1), drops.mean(axis=1))
    ratios, extra = _costs(problem, start, settings, uniform)
    return Resilience(start.generator, start.compressor, settings, drops, scores, extra, ratios, layers, clusters)


def chosen_by_task(space: SearchSpace, start: DesignPoint) -> list[SearchedParameter]:
    """Give the parameters that a design's generator and compressor let each task choose.

    Raises:
        SpaceError: neither plugin has such a parameter.
    """
    plugins = {kind: start.plugin(kind) for kind in PROFILED}
    chosen = [item for kind, name in plugins.items() for item in per_task(space, kind, name)]
    if not chosen:
        raise SpaceError(
            f"{' and '.join(f'{kind} {name!r}' for kind, name in plugins.items())} have nothing to choose for each task, "
            "so there is nothing to profile",
            where=space.file.where("compressor", start.compressor, "parameters"),
            expected="a range for at least one parameter that is set per task",
        )
    return chosen


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
    """Return, by column, the ratio of each setting on all tasks, (S,), and its addition on one task to the smallest ratio, (T, S)."""
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
        single = np.array([float(cost.metrics[metric] or 0) for cost in problem.cost(singles)])
        extra[metric] = single.reshape(tasks, len(settings)) - ratios[metric].min()
    return ratios, extra


def propose(
    resilience: Resilience, start: DesignPoint, max_drops: Iterable[float] = (), *, least: str = "area"
) -> tuple[Proposal, ...]:
    """Give a design per mode, with one setting per cluster, and one per stated drop, with one setting per task.

    Args:
        resilience: measurements of the profile.
        start: design around which settings change.
        max_drops: mean drops that designs may cost, points.
        least: cost that the designs minimise, a key of `RATIOS`.
    """
    modes = {name: (budget, resilience.clusters) for name, budget in MODES.items()}
    modes |= {f"drop<={budget:g}": (budget, np.arange(len(resilience.drops))) for budget in max_drops}
    return tuple(_proposal(resilience, start, name, *mode, RATIOS[least]) for name, mode in modes.items())


def with_settings(point: DesignPoint, settings: Sequence[Mapping[str, Scalar]]) -> DesignPoint:
    """Return a design in which each task has its setting."""
    values = {name: tuple(setting[name] for setting in settings) for name in settings[0]}
    return replace(point, values={**point.values, **values})


def cluster(bears: Floats, order: Floats) -> Ints:
    """Cluster tasks by their losses, shape (T, measurements), with K-means; number clusters by their mean of ``order`` (T,)."""
    from sklearn.cluster import KMeans

    count = min(CLUSTERS, len(np.unique(bears, axis=0)))
    labels = KMeans(count, n_init=10, random_state=0).fit_predict(np.sign(bears) * np.log1p(np.abs(bears)))
    ranked = sorted(range(count), key=lambda label: float(order[labels == label].mean()))
    return np.array([ranked.index(label) for label in labels])


def smooth(drops: Floats, extra: Floats) -> Floats:
    """Make one task's drops, shape (S,), fall with cost and never negative: any other change is noise of the split."""
    from sklearn.isotonic import IsotonicRegression

    return np.asarray(IsotonicRegression(y_min=0.0, increasing=False).fit_transform(extra, drops))


def _proposal(
    resilience: Resilience, start: DesignPoint, name: str, budget: float, groups: Ints, metric: str
) -> Proposal:
    """Return the cheapest design whose mean drop keeps a budget, points, with one setting for each group of tasks (T,)."""
    tasks, extra = len(resilience.drops), resilience.extra[metric]
    losses = np.stack([smooth(*pair) for pair in zip(resilience.drops, extra, strict=True)])
    _, group_of_task = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(group_of_task == group) for group in range(group_of_task.max() + 1)]
    picks = cheapest(
        np.stack([losses[part].sum(axis=0) for part in members]),
        np.stack([extra[part].sum(axis=0) for part in members]),
        budget * tasks,
    )
    chosen = tuple(picks[group] for group in group_of_task)
    point = with_settings(start, [resilience.settings[pick] for pick in chosen])
    expected = float(np.mean([resilience.drops[task, pick] for task, pick in enumerate(chosen)]))
    return Proposal(name, chosen, expected, point)


def cheapest(losses: Floats, extra: Floats, budget: float) -> list[int]:
    """Pick one of S settings for each of G groups, so that losses sum to at most the budget and costs are smallest.

    The result is exact in steps of `UNIT`. If even the smallest losses exceed the budget, these are picked.

    Args:
        losses: loss of each group, points, >= 0, shape (G, S).
        extra: cost of each group, shape (G, S).
        budget: largest sum of losses, points.
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
    """Return at most ``most`` values of a domain, its ends among them, evenly spread."""
    count = size(domain)
    if count <= most:
        return [at(domain, index) for index in range(int(count))]
    if np.isfinite(count):
        return [at(domain, round(index * (count - 1) / (most - 1))) for index in range(most)]
    low, high = float(domain.low), float(domain.high)  # type: ignore[union-attr]  # a choice is never endless
    return [snap_value(domain, low + (high - low) * index / (most - 1)) for index in range(most)]


def rows_of(resilience: Resilience, tasks: Sequence[str]) -> list[dict[str, Any]]:
    """Give one row per task and setting, and one per task and layer, as a table holds them."""
    rows: list[dict[str, Any]] = []
    for task, name in enumerate(tasks):
        plugins = {"generator": resilience.generator, "compressor": resilience.compressor}
        common = {"task": name, **plugins, "cluster": int(resilience.clusters[task])}
        for index, setting in enumerate(resilience.settings):
            rows.append(
                common
                | {"layer": None, "setting": index}
                | {f"param.{key}": value for key, value in setting.items()}
                | {"score": float(resilience.scores[task, index]), "drop": float(resilience.drops[task, index])}
                | {f"extra_{metric}": float(extra[task, index]) for metric, extra in resilience.extra.items()}
                | {metric: float(ratio[index]) for metric, ratio in resilience.uniform.items()}
            )
        rows += [
            common | {"layer": layer, "setting": None, "drop": float(lost)}
            for layer, lost in enumerate(resilience.layers[task])
        ]
    return rows
