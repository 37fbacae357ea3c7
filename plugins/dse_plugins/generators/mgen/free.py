"""The route free of training: each task's own model without the heads and feed-forward columns that do least.

First layers may be alike for all tasks: the base's, or the mean of the tasks' own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.generators.mgen import exits
from dse_plugins.generators.mgen.importance import SIDES, block_of, measure_units, order_unmeasured, ranks, within
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.recovery import moments, recover


class Free:
    """Models with fewer heads and columns, the rest of which makes up for them; first layers may be shared."""

    def __init__(self, options: MGenOptions) -> None:
        self.options = options
        self.joint = bool(options.merged)  # what stands in the base's place is made of all tasks
        self._ranks: dict[str, NDArray[np.int64]] = {}
        self._exits: list[exits.Fitted] = []

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Shares of heads and of columns each task keeps, and how many layers all tasks share."""
        layers = workload.encoder.layers
        trunk = plugin.Int(
            name="trunk", low=0, high=min(max(1, layers // 3), layers - 1), default=0, limits=(0, layers - 1), unit="layers",
            summary="first layers that are the same for all tasks, whole",
        )  # fmt: skip
        kept = tuple(
            plugin.Float(
                name=name, low=0.3, high=1.0, default=1.0, limits=(0.0, 1.0), scope=("task",),
                summary=f"share of a task's {what} that are kept, over all layers",
            )
            for name, what in (("heads", "attention heads"), ("ffn", "feed-forward columns"))
        )  # fmt: skip
        return (trunk, *kept, exits.confidence()) if self.options.exits else (trunk, *kept)

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, what heads and columns do and give, and fit the heads of early exits."""
        if self.options.merged:
            self._mean(context)
        if self.options.exits:
            tasks = range(len(context.workload.tasks))
            self._exits = [exits.fit_once(context, task, self.options.exit_rows) for task in tasks]
        workload, tables = context.workload, []
        for task, name in enumerate(workload.task_names):
            key = exits.of_task(workload, task) | {"rows": self.options.rows}
            make = partial(measure_units, context, task, self.options.rows)
            tables.append(context.cached(f"effects of heads of {name}", key, make))
            self._moments(context, task)
        for name in SIDES:
            self._ranks[name] = np.stack(
                [ranks(table[name], block_of(workload.encoder, name, self.options.block)) for table in tables]
            )

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Keep in each task's layers what does most. Before anything is measured, the first of each layer."""
        kept = {name: self._mask_kept(workload, name, params) for name in SIDES}
        owner = plugin.separate_models(workload, params.points).owner
        owner = np.where(_of_trunk(workload, params), plugin.BASE, owner)
        return plugin.Plan(owner, heads=kept["heads"], ffn=kept["ffn"], exits=self._leaving(workload, params))

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights | plugin.Model:
        """Give what stands in the base's place, or what a task keeps."""
        if owner == plugin.BASE:
            return self._mean(context) if self.options.merged else context.base_weights()
        encoder, weights, task = context.workload.encoder, context.task_weights(owner - 1), owner - 1
        layers = range(encoder.layers)
        kept = {name: self._mask_kept(context.workload, name, params)[0, task] for name in SIDES}
        matrices, shifts = recover(encoder, weights, layers, partial(self._moments, context, task), kept)
        early: dict[int, dict[int, plugin.ExitHead]] = {}
        if self._exits:
            sure = float(params["confidence"][0, task])
            early[task] = exits.heads(self._exits[task], layers, sure, encoder.layers)
        return plugin.Model({**weights, **matrices}, shifts=shifts, exits=early)

    def _mean(self, context: plugin.Context) -> plugin.Model:
        """The mean of the tasks' own encoders."""
        tasks = tuple(range(len(context.workload.tasks)))
        mean = context.trained(plugin.Training(tasks, merged=True, passes=0))
        return plugin.Model(mean.matrices, mean.vectors)

    def _moments(self, context: plugin.Context, task: int) -> dict[str, NDArray[Any]]:
        """What heads and columns of a task give; measured once."""
        workload, rows = context.workload, self.options.recovery_rows
        key = exits.of_task(workload, task) | {"rows": rows}
        make = partial(moments, context, (task,), rows)
        return context.cached(f"moments of {workload.task_names[task]}", key, make)

    def _leaving(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Exits | None:
        if not self._exits:
            return None
        layers = workload.encoder.layers
        asked = np.full(params.points, layers)
        found = [
            exits.plan_exits(one, range(layers), params["confidence"][:, task], asked, layers)
            for task, one in enumerate(self._exits)
        ]
        return exits.stack(found)

    def _mask_kept(self, workload: plugin.Workload, name: str, params: plugin.Params) -> NDArray[np.bool_]:
        """Which heads or columns (P, T, L, units) are within a task's share of their blocks; one block a layer at least."""
        encoder = workload.encoder
        units = encoder.heads if name == "heads" else encoder.ffn
        block = block_of(encoder, name, self.options.block)
        places = self._ranks.get(name, order_unmeasured(encoder.layers, units, block)[None])
        return np.asarray(within(places[None], params[name], block) | _of_trunk(workload, params)[..., None])


def _of_trunk(workload: plugin.Workload, params: plugin.Params) -> NDArray[np.bool_]:
    """Which layers (P, 1, L) all tasks share."""
    return np.asarray(np.arange(workload.encoder.layers) < params["trunk"][:, None])[:, None, :]
