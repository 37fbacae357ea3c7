"""Designs without a sampler: costed alone, with ratios and baselines, for benchmarks of the yardstick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import dse
from benchmarks.problems import Statistics, encoder
from dse.cost.comparisons import Comparisons, store_digitally
from dse.cost.cost import Built, baseline_cost, cost_points
from dse.cost.counted import Counted
from dse.cost.metrics import cost_results, cost_table
from dse.cost.own_baseline import PAPER, OwnBaseline, Scheme
from dse.cost.reference import default_value
from dse.records.layout import Layout
from dse.records.parameters import INPUT_BITS
from dse.records.plugin import KINDS, Kind
from dse.records.scored import CostResult

BEST = Scheme(4, 8)
"""The baseline ``best``: the bits that the review measured to lose nothing on four tasks."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Chosen(NamedTuple):
    """A plugin of a design: its name, or itself, with values that differ from the defaults.

    Attributes:
        plugin: name of a registered plugin, or a built plugin.
        values: values of its parameters.
        options: its options, where it is named.
        prepared: whether its prepared statistics are used.
    """

    plugin: Any
    values: Mapping[str, Any] = NOTHING
    options: Mapping[str, Any] = NOTHING
    prepared: bool = True


@dataclass(frozen=True)
class Case:
    """A costed design, and the baselines beside it."""

    result: CostResult
    baselines: Mapping[str, Mapping[str, float | None]]

    def __getitem__(self, name: str) -> float:
        return float(self.result.metrics[name] or 0.0)


class InSram(dse.plugin.Base):
    """A compressor that keeps weights of 7 magnitude bits in SRAM, with a scale per output."""

    def footprint(self, workload: Any, demand: dse.Demand, geometry: Any, params: Any) -> dse.Footprint:
        """Charge the codes and their scales."""
        del workload, geometry, params
        return store_digitally(Layout(demand, dse.whole_footprint(demand, 127, per_output=True))).footprint


class Leaving(dse.plugin.Base):
    """A generator of separate models, some of whose inputs are expected to leave before the last layers.

    Args:
        reach: share of inputs that are expected to run each layer.
    """

    def __init__(self, reach: Sequence[float]) -> None:
        super().__init__()
        self.reach = np.array(reach)

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Plan separate models with these exits."""
        plan = dse.separate_models(workload, params.points)
        reach = np.broadcast_to(self.reach, plan.owner.shape)
        return replace(plan, exits=dse.Exits(np.zeros(plan.owner.shape, dtype=int), reach))


def shapes(tasks: int, shape: tuple[int, ...], tokens: float = 20.0, **traffic: Any) -> dse.Workload:
    """Tasks on an encoder, whose traffic may differ from the default."""
    names = [f"task{index}" for index in range(tasks)]
    of = encoder(*shape)
    parts = tuple(dse.Task(name, tokens, tokens**2, of.hidden * (of.hidden + 3), 1 / tasks) for name in names)
    digests = {"base": "base"} | {f"{part}.{name}": name for part in ("task", "data") for name in names}
    return dse.Workload("shapes", of, parts, dse.Traffic(**traffic), digests)


def cost(
    load: dse.Workload,
    *,
    reference: Mapping[str, Any] = NOTHING,
    reach: Mapping[str, Sequence[float]] = NOTHING,
    at_chance: int = 0,
    **chosen: Chosen,
) -> Case:
    """Cost one design with ratios and baselines.

    Args:
        load: tasks and traffic.
        reference: values of the reference hardware that differ from the defaults.
        reach: share of inputs that ran each layer in scoring, by task.
        at_chance: number of tasks, the last ones, whose baseline does not beat chance.
        chosen: plugins by kind; by default separate models without a method on `isaac`.
    """
    usual = {"generator": "independent", "compressor": "none", "scheduler": "fixed", "hardware": "isaac"}
    design = {kind: chosen.get(kind, Chosen(usual[kind])) for kind in KINDS}
    plugins: dict[Kind, Any] = {kind: _build(kind, item) for kind, item in design.items()}
    params = {kind: _fill(plugins[kind], design[kind].values, load) for kind in KINDS}
    for kind in KINDS:
        if kind != "hardware" and design[kind].prepared:
            plugins[kind].prepare(Statistics(load))
    built = Built(("g", "c", "s", "isaac"), *(plugins[kind] for kind in KINDS))
    counted = Counted(*_leave_out(load, at_chance)) if at_chance else None
    baseline = OwnBaseline(counted.workload if counted else load, "isaac", built.hardware)
    own = {suffix: baseline.cost(params["hardware"], bits) for suffix, bits in (("", PAPER), ("_best", BEST))}
    other = _build("hardware", Chosen("isaac"))
    costed = cost_points(load, built, params, reach, counted)
    fixed = baseline_cost(baseline.workload, other, "isaac", _fill(other, reference, load))
    (result,) = cost_results(cost_table(costed, own, fixed), baseline.workload.task_names)
    (beside,) = Comparisons(baseline).cost(costed, params["hardware"], BEST, costed.costs.find("throughput_rps"))
    return Case(result, beside)


def _leave_out(load: dse.Workload, last: int) -> tuple[dse.Workload, tuple[int, ...]]:
    """Return the workload without its last tasks, all of one rate, and the places of those that are left."""
    left = load.tasks[:-last]
    return replace(load, tasks=tuple(replace(task, rate=1 / len(left)) for task in left)), tuple(range(len(left)))


def _build(kind: Kind, item: Chosen) -> Any:
    if not isinstance(item.plugin, str):
        return item.plugin
    return dse.Registry().discover().build(kind, item.plugin, dict(item.options))


def _fill(plugin: Any, values: Mapping[str, Any], load: dse.Workload) -> dse.Params:
    """Return the parameters of one design: defaults, and these values."""
    declared = {item.name: default_value(item, load) for item in plugin.parameters(load)}
    whole = {INPUT_BITS.name: INPUT_BITS.default} | declared | dict(values)
    return dse.Params(1, {name: np.array([value]) for name, value in whole.items()})
