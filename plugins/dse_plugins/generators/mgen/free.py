"""The route free of training: each task's own model without the heads and feed-forward columns that do least."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import dse
from dse_plugins.generators.mgen import exits
from dse_plugins.generators.mgen.importance import SIDES, block_of, given_back, measured, ranks, unmeasured, within
from dse_plugins.generators.mgen.options import MGenOptions

if TYPE_CHECKING:
    from torch import Tensor


class Free:
    """Models with fewer heads and columns, whose first layers may be the base's; biases give back the mean of what is lost."""

    def __init__(self, options: MGenOptions) -> None:
        self.options = options
        self._ranks: dict[str, NDArray[np.int64]] = {}
        self._means: dict[str, NDArray[Any]] = {}
        self._exits: list[exits.Fitted] = []

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Shares of heads and of columns each task keeps, and how many layers all tasks share."""
        layers = workload.encoder.layers
        trunk = dse.Int(
            name="trunk", low=0, high=min(max(1, layers // 3), layers - 1), default=0, limits=(0, layers - 1), unit="layers",
            summary="first layers that are the base's for all tasks, whole",
        )  # fmt: skip
        kept = tuple(
            dse.Float(
                name=name, low=0.3, high=1.0, default=1.0, limits=(0.0, 1.0), scope=("task",),
                summary=f"share of a task's {what} that are kept, over all layers",
            )
            for name, what in (("heads", "attention heads"), ("ffn", "feed-forward columns"))
        )  # fmt: skip
        return (trunk, *kept, exits.confidence()) if self.options.exits else (trunk, *kept)

    def prepare(self, context: dse.Context) -> None:
        """Measure, once for each task, what heads and columns do, and fit the heads of early exits."""
        if self.options.exits:
            tasks = range(len(context.workload.tasks))
            self._exits = [exits.fitted_once(context, task, self.options.exit_rows) for task in tasks]
        workload, tables = context.workload, []
        for task, name in enumerate(workload.task_names):
            key = exits.of_task(workload, task) | {"rows": self.options.rows}
            make = partial(measured, context, task, self.options.rows)
            tables.append(context.cached(f"effects of heads of {name}", key, make))
        for name in SIDES:
            self._ranks[name] = np.stack(
                [ranks(table[name], block_of(workload.encoder, name, self.options.block)) for table in tables]
            )
            self._means[name] = np.stack([table[f"{name}_mean"] for table in tables])

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Keep in each task's layers what does most. Before anything is measured, the first of each layer."""
        kept = {name: self._kept(workload, name, params) for name in SIDES}
        owner = dse.separate_models(workload, params.points).owner
        owner = np.where(_of_trunk(workload, params), dse.BASE, owner)
        return dse.Plan(owner, heads=kept["heads"], ffn=kept["ffn"], exits=self._leaving(workload, params))

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights | dse.Model:
        """Give the base's or a task's own matrices, and what biases give back."""
        if owner == dse.BASE:
            return context.base_weights()
        encoder, weights, task = context.workload.encoder, context.task_weights(owner - 1), owner - 1
        shifts: dict[tuple[int, int], Tensor] = {}
        for name in SIDES:
            kept = self._kept(context.workload, name, params)[0, task]
            shifts |= given_back(encoder, weights, range(encoder.layers), self._means[name][task], kept, name)
        if not self._exits:
            return dse.Model(weights, shifts=shifts)
        layers = range(encoder.layers)
        early = exits.heads(self._exits[task], layers, float(params["confidence"][0, task]), encoder.layers)
        return dse.Model(weights, shifts=shifts, exits={task: early})

    def _leaving(self, workload: dse.Workload, params: dse.Params) -> dse.Exits | None:
        if not self._exits:
            return None
        layers = workload.encoder.layers
        asked = np.full(params.points, layers)
        found = [
            exits.planned(one, range(layers), params["confidence"][:, task], asked, layers)
            for task, one in enumerate(self._exits)
        ]
        return exits.stacked(found)

    def _kept(self, workload: dse.Workload, name: str, params: dse.Params) -> NDArray[np.bool_]:
        """Which heads or columns (P, T, L, units) are within a task's share of their blocks; one block a layer at least."""
        encoder = workload.encoder
        units = encoder.heads if name == "heads" else encoder.ffn
        block = block_of(encoder, name, self.options.block)
        places = self._ranks.get(name, unmeasured(encoder.layers, units, block)[None])
        return np.asarray(within(places[None], params[name], block) | _of_trunk(workload, params)[..., None])


def _of_trunk(workload: dse.Workload, params: dse.Params) -> NDArray[np.bool_]:
    """Which layers (P, 1, L) all tasks share."""
    return np.asarray(np.arange(workload.encoder.layers) < params["trunk"][:, None])[:, None, :]
