"""The free route: each task's own model without the heads and feed-forward columns with the smallest effect, without training.

All tasks may share first layers: the base's, or the mean of the tasks' own.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.generators.mgen import exits, importance
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.recovery import moments, recover
from dse_plugins.shared import Array
from dse_plugins.shared.measuring import measure_each_task, task_digests


class Free:
    """Models with fewer heads and columns, for which the kept ones make up; first layers may be shared."""

    def __init__(self, options: MGenOptions) -> None:
        self.options = options
        self.joint = bool(options.merged)  # the mean of all tasks takes the place of the base
        self._ranks: dict[str, NDArray[np.int64]] = {}
        self._exits: list[exits.Fitted] = []

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the shares of heads and of columns that a task keeps, and the number of layers that all tasks share."""
        layers = workload.encoder.layers
        trunk = plugin.Int(
            name="trunk", low=0, high=min(max(1, layers // 3), layers - 1), default=0, limits=(0, layers - 1), unit="layers",
            summary="number of first layers that all tasks share, with all heads and columns",
        )  # fmt: skip
        shares = importance.kept_shares(workload.encoder, 0.3, ("task",), "a task", "layers")
        return (trunk, *shares, exits.confidence()) if self.options.exits else (trunk, *shares)

    def prepare(self, context: plugin.Context) -> None:
        """Measure, once for each task, effects and moments of heads and columns, and fit the heads of early exits."""
        if self.options.merged:
            self._mean(context)
        tasks = range(len(context.workload.tasks))
        if self.options.exits:
            self._exits = [exits.fit_once(context, task, self.options.exit_rows) for task in tasks]
        measure = partial(importance.measure_units, rows=self.options.rows)
        tables = measure_each_task(context, "effects of heads", {"rows": self.options.rows}, measure)
        for task in tasks:
            self._moments(context, task)
        for name in importance.sides(context.workload.encoder):
            block = importance.block_of(context.workload.encoder, name, self.options.block)
            self._ranks[name] = np.stack([importance.ranks(table[name], block) for table in tables])

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Keep the heads and columns with the largest effect; before measurement, those that come first in each layer."""
        masks: Any = {name: self._mask_kept(workload, name, params) for name in importance.sides(workload.encoder)}
        owner = plugin.separate_models(workload, params.points).owner
        owner = np.where(_of_trunk(workload, params), plugin.BASE, owner)
        return plugin.Plan(owner, **masks, exits=self._leaving(workload, params))

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights | plugin.Model:
        """Return the matrices that take the place of the base, or the kept part of a task's matrices."""
        if owner == plugin.BASE:
            return self._mean(context) if self.options.merged else context.base_weights()
        encoder, weights, task = context.workload.encoder, context.task_weights(owner - 1), owner - 1
        layers = range(encoder.layers)
        masks = {name: self._mask_kept(context.workload, name, params)[0, task] for name in importance.sides(encoder)}
        matrices, shifts = recover(encoder, weights, layers, partial(self._moments, context, task), masks)
        early: dict[int, dict[int, plugin.ExitHead]] = {}
        if self._exits:
            sure = float(params["confidence"][0, task])
            early[task] = exits.heads(self._exits[task], layers, sure, encoder.layers)
        return plugin.Model({**weights, **matrices}, shifts=shifts, exits=early)

    def _mean(self, context: plugin.Context) -> plugin.Model:
        """Return the mean of the tasks' own encoders."""
        tasks = tuple(range(len(context.workload.tasks)))
        mean = context.trained(plugin.Training(tasks, merged=True, passes=0))
        return plugin.Model(mean.matrices, mean.vectors)

    def _moments(self, context: plugin.Context, task: int) -> dict[str, Array]:
        """Moments of the outputs of a task's heads and columns, measured once."""
        workload, rows = context.workload, self.options.recovery_rows
        key = task_digests(workload, task) | {"rows": rows}
        make = partial(moments, context, (task,), rows)
        return context.cached(f"moments of {workload.task_names[task]}", key, make)

    def _leaving(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Exits | None:
        if not self._exits:
            return None
        layers = workload.encoder.layers
        asked = np.full(params.points, layers)
        return exits.stack(
            exits.plan_exits(one, range(layers), params["confidence"][:, task], asked, layers)
            for task, one in enumerate(self._exits)
        )

    def _mask_kept(self, workload: plugin.Workload, name: str, params: plugin.Params) -> NDArray[np.bool_]:
        """Whether a task keeps each head or column, with at least one block per layer, shape (P, T, L, units)."""
        encoder = workload.encoder
        units = encoder.heads if name == "heads" else encoder.ffn
        block = importance.block_of(encoder, name, self.options.block)
        places = self._ranks.get(name, importance.order_unmeasured(encoder.layers, units, block)[None])
        return np.asarray(importance.within(places[None], params[name], block) | _of_trunk(workload, params)[..., None])


def _of_trunk(workload: plugin.Workload, params: plugin.Params) -> NDArray[np.bool_]:
    """Whether all tasks share each layer, shape (P, 1, L)."""
    return np.asarray(np.arange(workload.encoder.layers) < params["trunk"][:, None])[:, None, :]
