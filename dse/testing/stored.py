"""Terms that a compressor stores for the owners of a plan, whose matrices are cut as the core cuts them."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, TypeAlias

from dse.cost.demand import demand
from dse.plugins.contract import Weights
from dse.plugins.frozen import Guard
from dse.records.demand import Demand
from dse.records.geometry import Geometry
from dse.records.params import Params
from dse.records.plan import BASE, DROPPED, Plan
from dse.records.plugin import PluginRecord
from dse.records.stored import Matrices, Stored
from dse.records.training import Training
from dse.records.workload import Workload
from dse.score.cut import Cut
from dse.testing.workloads import TinyContext, tiny_geometry


def demand_of(workload: Workload, plan: Plan) -> Demand:
    """Return the demand of a plan; a plan with groups comes from a joint generator."""
    return demand(workload, plan, generator="test", joint=plan.groups > 0)


@cache
def _weights(workload: Workload, groups: int) -> tuple[Weights, ...]:
    """Return the matrices of every owner; where there are groups all are trained, the base's too."""
    context, tasks = TinyContext(workload), range(len(workload.tasks))
    if not groups:
        return (context.base_weights(), *(context.task_weights(task) for task in tasks))
    trainings = [Training(tuple(tasks), passes=1.0 + owner) for owner in range(1 + groups)]
    trainings += [Training((task,), frozen=1, start=trainings[0]) for task in tasks]
    return tuple(context.trained(training).matrices for training in trainings)


Owner: TypeAlias = tuple[int, dict[tuple[int, int], Stored], Matrices]
"""An owner, its stored terms, and the matrices that the compressor was given."""


def stored_by(plugin: Any, workload: Workload, plan: Plan, geometry: Geometry, params: Params) -> Iterator[Owner]:
    """Yield every owner's stored terms with its matrices, cut as the core cuts them; the base comes first."""
    for owner, weights, base in _cut_matrices(workload, plan):
        with Guard("the compressor", lambda: None) as guard:
            guard.watch(weights)
            guard.watch(base)
            stored = plugin.store(weights, base, geometry, params, owner)
        yield owner, stored, weights


def _cut_matrices(workload: Workload, plan: Plan) -> Iterator[tuple[int, Matrices, Matrices]]:
    """Yield every owner with new copies of its matrices and of the base's."""
    everything, wanted = _weights(workload, plan.groups), demand_of(workload, plan)
    for owner, whole in enumerate(everything):
        used = plan.owner[0] != DROPPED if owner == BASE else plan.owner[0] == owner
        cut = {key: Cut(workload.encoder, plan, owner, *key) for key in whole if used[:, key[0]].any()}
        weights, base = (
            Cut.matrices(cut, {key: side[key].clone() for key in cut}, wanted) for side in (whole, everything[BASE])
        )
        yield owner, weights, base


Terms: TypeAlias = dict[tuple[int, int], list[dict[tuple[int, int], Stored]]]
"""Stored terms of every owner, by the numbers of the case and of the plan."""


@lru_cache(maxsize=1)  # the terms of one record are tens of megabytes
def usual_terms(suite: str, record: PluginRecord) -> Terms:
    """Return the terms that the checks of a suite and record have stored at the usual geometry: later checks read them."""
    del suite, record
    return {}


def usually_stored_by(
    usual: Terms, place: tuple[int, int], plugin: Any, workload: Workload, plan: Plan, params: Params
) -> Iterator[Owner]:
    """Yield as `stored_by` does at the usual geometry; the compressor stores only what no check has asked for before."""
    if place not in usual:
        usual[place] = [own for _, own, _ in stored_by(plugin, workload, plan, tiny_geometry(), params)]
    for (owner, weights, _), own in zip(_cut_matrices(workload, plan), usual[place], strict=True):
        yield owner, own, weights
