"""The trained route: trunks of fewer layers for several tasks, and branches where a task needs its own."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dse import plugin
from dse_plugins.generators.mgen import exits
from dse_plugins.generators.mgen.importance import kept_shares, sides
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.trunk import Trunk, look_at


class Trained:
    """Shared trunks and branches; the first trunk takes the place of the base."""

    joint = True

    def __init__(self, options: MGenOptions) -> None:
        self.options = options
        self._measured: dict[int, Trunk] = {}  # by number of layers

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the layers that run, each task's own layers, and the kept part of a single trunk or each task's trunk."""
        layers = workload.encoder.layers
        depth: tuple[plugin.Parameter, ...] = (
            plugin.Choice(
                name="layers", choices=(depths := self._depths(layers)), default=depths[-1], unit="layers",
                summary="number of encoder layers that run; the others are skipped",
            ),
            plugin.Int(
                name="own", low=0, high=min(2, layers), default=0, limits=(0, layers), scope=("task",), unit="layers",
                summary="number of last layers that belong to the task alone; the others belong to the trunk",
            ),
        )  # fmt: skip
        if self.options.trunks == 1:
            shares = kept_shares(workload.encoder, 0.5, (), "the trunk", "its layers")
            return (*depth, *shares, exits.confidence()) if self.options.exits else (*depth, *shares)
        last = self.options.trunks - 1
        trunk = plugin.Int(name="trunk", low=0, high=last, default=0, scope=("task",), summary="trunk of a task")
        return (*depth, trunk)

    def prepare(self, context: plugin.Context) -> None:
        """Train and measure a single trunk at every number of layers; designs train several trunks on first use."""
        if self.options.trunks > 1:
            return
        layers, tasks = context.workload.encoder.layers, tuple(range(len(context.workload.tasks)))
        for count in self._depths(layers):
            self._measured[count] = look_at(context, self._trunk(tasks, spread(layers, count)), self.options)

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Skip layers that do not run, and give the last layers that run to the tasks."""
        layers = workload.encoder.layers
        runs = np.stack([np.isin(np.arange(layers), spread(layers, int(count))) for count in params["layers"]])
        place = np.cumsum(runs, axis=1) - 1  # place of a layer among the layers that run
        first = params["layers"][:, None] - params["own"]  # (P, T) layers of the trunk
        groups = self.options.trunks - 1
        own = plugin.separate_models(workload, params.points).owner + groups
        owner = np.where(place[:, None, :] < first[..., None], self._trunks(params)[..., None], own)
        owner = np.where(runs[:, None, :], owner, plugin.DROPPED)
        if self.options.trunks > 1:
            return plugin.Plan(owner, groups)
        encoder = workload.encoder
        masks = {name: self._mask_kept(encoder, owner, params, name) for name in sides(encoder)}
        early = self._leaving(params, layers) if self.options.exits and self._measured else None
        return plugin.Plan(owner, groups, **masks, exits=early)

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights | plugin.Model:
        """Return a trunk, or a task's branch."""
        count, trunks = int(params["layers"][0]), self._trunks(params)[0]
        runs = spread(context.workload.encoder.layers, count)
        task = owner - self.options.trunks
        number = owner if task < 0 else trunks[task]
        together = tuple(np.flatnonzero(trunks == number).tolist())
        if not together:
            return context.base_weights()  # a trunk without tasks
        trunk, options = self._trunk(together, runs), self.options
        if task < 0:
            return self._with_exits(self._prune(context, context.trained(trunk), params), params, together)
        frozen = max(0, count - int(params["own"][0, task]))
        branch = plugin.Training(
            (task,), runs, frozen, trunk, distil=options.distil, passes=options.branch_passes, seed=options.seed
        )
        return self._with_exits(context.trained(branch), params, (task,))

    def _depths(self, layers: int) -> tuple[int, ...]:
        offered = {min(count, layers) for count in self.options.depths}
        return tuple(sorted(offered)) or tuple(range(max(1, layers // 2), layers + 1))

    def _trunk(self, tasks: tuple[int, ...], runs: tuple[int, ...]) -> plugin.Training:
        options = self.options
        return plugin.Training(
            tasks,
            runs,
            merged=options.merged is not False,
            distil=options.distil,
            across=options.across,
            passes=options.passes,
            seed=options.seed,
        )

    def _leaving(self, params: plugin.Params, layers: int) -> plugin.Exits:
        """Return the early exits, which lie after layers of the trunk, never after a task's own layers."""
        shape = (*params["own"].shape, layers)
        parameters, reach = np.zeros(shape, dtype=np.int64), np.ones(shape)
        for count, trunk in self._measured.items():
            some = params["layers"] == count
            asked = count - params["own"][some]
            joined = exits.stack(
                exits.plan_exits(one, spread(layers, count), params["confidence"][some, task], asked[:, task], layers)
                for task, one in enumerate(trunk.exits)
            )
            parameters[some], reach[some] = joined.parameters, joined.reach
        return plugin.Exits(parameters, reach)

    def _mask_kept(
        self, encoder: plugin.Encoder, owner: NDArray[np.int64], params: plugin.Params, name: str
    ) -> NDArray[np.bool_]:
        """Whether each unit is kept, shape (P, T, L, units); a task keeps all units of its own layers."""
        mask = np.ones((*owner.shape, encoder.heads if name == "heads" else encoder.ffn), dtype=bool)
        for count in np.unique(params["layers"]):
            some = params["layers"] == count
            runs = spread(encoder.layers, int(count))
            trunk = self._measured.get(int(count), Trunk(runs, self.options.block))
            for at, layer in enumerate(runs):
                mask[some, :, layer] = trunk.select_kept(encoder, name, params[name][some])[:, None, at]
        return np.asarray(mask | (owner != plugin.BASE)[..., None])

    def _prune(self, context: plugin.Context, model: plugin.Model, params: plugin.Params) -> plugin.Model:
        """Let the kept units of the single trunk make up for those that it leaves out."""
        count = int(params["layers"][0])
        if count not in self._measured:
            return model
        matrices, shifts = self._measured[count].recover(context, model.matrices, params)
        return replace(model, matrices={**model.matrices, **matrices}, shifts=shifts)

    def _with_exits(self, model: plugin.Model, params: plugin.Params, tasks: tuple[int, ...]) -> plugin.Model:
        """Add the heads of the tasks' early exits."""
        count, own = int(params["layers"][0]), params["own"][0]
        if not self.options.exits or count not in self._measured:
            return model
        trunk, sure = self._measured[count], params["confidence"][0]
        early = {
            task: exits.heads(trunk.exits[task], trunk.layers, float(sure[task]), count - int(own[task]))
            for task in tasks
        }
        return replace(model, exits=early)

    def _trunks(self, params: plugin.Params) -> NDArray[np.int64]:
        """Index of each task's trunk, which is also the owner of its layers, shape (P, T)."""
        return params["trunk"] if self.options.trunks > 1 else np.zeros(params["own"].shape, dtype=np.int64)


def spread(layers: int, count: int) -> tuple[int, ...]:
    """Return the layers that run for a number of layers: the first, the last, and others evenly between."""
    places: NDArray[np.float64] = np.linspace(0, layers - 1, count) if count > 1 else np.array([layers - 1.0])
    return tuple(int(place) for place in np.floor(places + 0.5))
