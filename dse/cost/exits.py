"""Checks of the early exits of a plan, and of the heads that a generator gives for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dse.errors import PluginContractError
from dse.records.arrays import Ints
from dse.records.exits import ExitHead, Exits
from dse.records.plan import DROPPED, Plan
from dse.records.workload import Workload

_ROUNDING = 1e-9


def measure_exits(plan: Plan, workload: Workload, reach: Mapping[str, Sequence[float]]) -> Plan:
    """Return the plan with the share of inputs that ran each layer in scoring, in place of what was expected.

    Args:
        plan: plan of one design (P = 1).
        workload: tasks, whose names ``reach`` has.
        reach: share of inputs by layer, by task; a task without an entry keeps what was expected.
    """
    if plan.exits is None or not reach:
        return plan
    shares = np.array(plan.exits.reach, dtype=float)
    for task, name in enumerate(workload.task_names):
        if name in reach:
            shares[0, task] = np.where(plan.owner[0, task] != DROPPED, reach[name], shares[0, task])
    return replace(plan, exits=replace(plan.exits, reach=shares))


def check_exits(exits: Exits, owner: Ints, *, generator: str) -> None:
    """Refuse exits of the wrong shape, or a reach that is not a share, or that grows from layer to layer.

    Args:
        exits: early exits, each array (P, T, L).
        owner: (P, T, L) owners of the same plan.
        generator: name of the generator, for the error.

    Raises:
        PluginContractError: the exits do not fit the plan.
    """
    fields = {"parameters": np.asarray(exits.parameters), "reach": np.asarray(exits.reach)}
    for name, values in fields.items():
        if values.shape != owner.shape or not np.isfinite(values).all() or values.min(initial=0) < 0:
            raise PluginContractError(
                f"generator {generator!r} returned early exits that do not fit the plan",
                where=f"Plan.exits.{name}",
                expected=f"finite values >= 0 of shape {owner.shape}",
                found=f"shape {values.shape}, smallest value {np.min(values, initial=0):g}",
            )
    runs = owner != DROPPED
    reach = np.where(runs, fields["reach"], 1.0)
    before = np.minimum.accumulate(np.concatenate([np.ones((*reach.shape[:2], 1)), reach[..., :-1]], axis=-1), axis=-1)
    wrong = runs & (reach > before + _ROUNDING)
    if wrong.any():
        point, task, layer = (int(index[0]) for index in np.nonzero(wrong))
        raise PluginContractError(
            f"generator {generator!r} expects more inputs at a layer than at the layer before",
            where=f"Plan.exits.reach, design {point}, task {task}, layer {layer}",
            expected=f"at most {before[point, task, layer]:g}",
            found=reach[point, task, layer],
        )
    if (fields["parameters"][~runs] > 0).any():
        raise PluginContractError(
            f"generator {generator!r} has an early-exit head after a layer that does not run",
            where="Plan.exits.parameters",
            expected=0,
            found=int(fields["parameters"][~runs].max()),
        )


def check_heads(plan: Plan, task: int, heads: Mapping[int, ExitHead], *, generator: str) -> None:
    """Refuse heads of early exits that differ from the heads that the plan is charged for.

    Raises:
        PluginContractError: the layers or sizes of the heads differ from the charged ones.
    """
    charged: dict[int, int] = {}
    if plan.exits is not None:
        sizes = np.asarray(plan.exits.parameters[0, task])
        charged = {int(layer): int(sizes[layer]) for layer in np.flatnonzero(sizes)}
    given = {layer: head.weight.numel() + head.bias.numel() for layer, head in sorted(heads.items())}
    if charged != given:
        raise PluginContractError(
            f"generator {generator!r} gives heads of early exits that differ from those that its plan is charged for",
            where=f"task {task}",
            expected=f"parameters by layer {charged}",
            found=given,
        )
