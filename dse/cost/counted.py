"""Tasks that count: costs leave the others out, since a model that is no better than chance is worth no area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse.records.demand import Demand
from dse.records.design import PluginParameter
from dse.records.footprint import Footprint
from dse.records.layout import Layout
from dse.records.parameters import Permutation
from dse.records.params import Params
from dse.records.plan import DROPPED, Plan
from dse.records.plugin import KINDS, Kind
from dse.records.workload import Workload

ByKind = Mapping[Kind, Params]
"""Parameters of the designs' plugins, by their kind."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Tasks whose costs count, some of all tasks.

    Generators and compressors see all tasks, since their parameters, and what they have prepared, are by task. Counts,
    hardware models and schedulers see the tasks that count alone.

    Attributes:
        workload: shapes, rates and traffic of the tasks that count.
        tasks: their places among all tasks.
        declared: parameters of every plugin; they say which values are by task.
    """

    workload: Workload
    tasks: tuple[int, ...]
    declared: tuple[PluginParameter, ...] = ()


def skip_others(plan: Plan, counted: Counted | None) -> Plan:
    """Return the plan in which tasks that do not count run no layer, so that nothing is stored for them."""
    if counted is None:
        return plan
    runs = np.isin(np.arange(plan.owner.shape[1]), counted.tasks)[None, :, None]
    exits = plan.exits
    if exits is not None:
        exits = replace(exits, parameters=np.where(runs, exits.parameters, 0), reach=np.where(runs, exits.reach, 1.0))
    return replace(plan, owner=np.where(runs, plan.owner, DROPPED), exits=exits)


def leave_out(
    workload: Workload, stored: Layout, params: ByKind, names: Sequence[str], counted: Counted | None
) -> tuple[Workload, Layout, ByKind]:
    """Return workload, demand, footprint and parameters as if the tasks that count were alone.

    Args:
        workload: all tasks.
        stored: demand and footprint of a plan from `skip_others`.
        params: parameters of the designs' plugins.
        names: names of these plugins, in the order of `KINDS`.
        counted: the tasks that count; None: all of them.
    """
    if counted is None:
        return workload, stored, params
    demand, footprint = stored
    owners = _list_owners(demand, counted.tasks)
    kept = Layout(_keep_tasks(demand, owners, list(counted.tasks)), _keep_owners(footprint, owners))
    by_kind = {kind: _keep_values(kind, name, params[kind], counted) for kind, name in zip(KINDS, names, strict=True)}
    return counted.workload, kept, by_kind


def _list_owners(demand: Demand, tasks: Sequence[int]) -> list[int]:
    """Return the owners that stay: base, groups, other tasks whose weights a task that counts runs, tasks that count."""
    lent = [task for task in range(demand.tasks) if task not in tasks and demand.used[:, demand.task_owner(task)].any()]
    return [*range(1 + demand.groups), *map(demand.task_owner, (*lent, *tasks))]


def _keep_tasks(demand: Demand, owners: list[int], tasks: list[int]) -> Demand:
    """Return the demand of some tasks; an owner that is none of them, and not the base, becomes a group."""
    places = np.full(demand.owners + 1, DROPPED)
    places[owners] = np.arange(len(owners))  # the last place is that of a skipped layer
    exits = demand.exits
    if exits is not None:
        exits = replace(exits, parameters=exits.parameters[:, tasks], reach=exits.reach[:, tasks])
    return replace(
        demand,
        tasks=len(tasks),
        groups=len(owners) - len(tasks) - 1,
        owner=places[demand.owner[:, tasks]],
        computes=_take(demand.computes, tasks),
        exits=exits,
        **_take_fields(demand, ("used", "rows", "columns", "heads", "ffn"), owners),
    )


def _keep_owners(footprint: Footprint, owners: list[int]) -> Footprint:
    """Return what some owners store."""
    pieces = [replace(one, **_take_fields(one, ("rows", "columns", "magnitude"), owners)) for one in footprint.pieces]
    written = footprint.reprogrammed
    if written is not None:
        written = replace(written, blocks=written.blocks[:, owners])
    changes = _take_fields(footprint, ("digital_bits", "on_base", "scalings", "shifts"), owners)
    return replace(footprint, pieces=tuple(pieces), reprogrammed=written, **changes)


def _keep_values(kind: Kind, plugin: str, params: Params, counted: Counted) -> Params:
    """Return a plugin's parameters for the tasks that count."""
    values: dict[str, NDArray[Any]] = dict(params)
    for item in counted.declared:
        name = item.parameter.name
        if (item.kind, item.plugin) != (kind, plugin) or name not in values:
            continue
        if isinstance(item.parameter, Permutation):
            left = values[name][np.isin(values[name], counted.tasks)]
            values[name] = np.searchsorted(counted.tasks, left.reshape(params.points, -1))
        elif item.parameter.scope[:1] == ("task",):
            values[name] = values[name][:, list(counted.tasks)]
    return Params(params.points, values)


def _take_fields(record: Any, names: Sequence[str], places: list[int]) -> dict[str, Any]:
    return {name: _take(getattr(record, name), places) for name in names}


def _take(values: NDArray[Any] | None, places: list[int]) -> NDArray[Any] | None:
    """Return some places of the second axis; an axis of one place stands for all of them."""
    return values if values is None or values.shape[1] == 1 else values[:, places]
