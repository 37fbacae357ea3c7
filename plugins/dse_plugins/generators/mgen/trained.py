"""The trained route: trunks of fewer layers for several tasks, and branches where a task needs its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import dse
from dse_plugins.generators.mgen.options import MGenOptions


class Trained:
    """Shared trunks and branches; the first trunk stands in the base's place."""

    joint = True

    def __init__(self, options: MGenOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Layers that run, how many of the last are each task's own, and whose trunk carries them."""
        layers = workload.encoder.layers
        found: tuple[dse.Parameter, ...] = (
            dse.Int(
                name="layers", low=max(1, layers // 2), high=layers, default=layers, limits=(1, layers), unit="layers",
                summary="encoder layers that run, the others are skipped",
            ),
            dse.Int(
                name="own", low=0, high=min(2, layers), default=0, limits=(0, layers), scope=("task",), unit="layers",
                summary="last layers of a task that are its own; the others are those of the trunk",
            ),
        )  # fmt: skip
        if self.options.trunks == 1:
            return found
        last = self.options.trunks - 1
        trunk = dse.Int(name="trunk", low=0, high=last, default=0, scope=("task",), summary="trunk of a task")
        return (*found, trunk)

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do: a trunk or branch is trained when a design first needs it."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Skip what does not run, and give the last layers that do to the tasks."""
        layers = workload.encoder.layers
        runs = np.stack([np.isin(np.arange(layers), spread(layers, int(count))) for count in params["layers"]])
        place = np.cumsum(runs, axis=1) - 1  # of a layer among those that run
        first = params["layers"][:, None] - params["own"]  # (P, T) layers of the trunk
        groups = self.options.trunks - 1
        own = dse.separate_models(workload, params.points).owner + groups
        owner = np.where(place[:, None, :] < first[..., None], self._trunks(params)[..., None], own)
        return dse.Plan(np.where(runs[:, None, :], owner, dse.DROPPED), groups)

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights | dse.Model:
        """Give a trunk, or a task's branch."""
        count, trunks = int(params["layers"][0]), self._trunks(params)[0]
        kept = spread(context.workload.encoder.layers, count)
        task = owner - self.options.trunks
        number = owner if task < 0 else trunks[task]
        together = tuple(np.flatnonzero(trunks == number).tolist())
        trunk = dse.Training(together, kept, distil=self.options.distil, passes=self.options.passes)
        if not together:
            return context.base_weights()  # a trunk that carries nothing
        if task < 0:
            return context.trained(trunk)
        frozen = max(0, count - int(params["own"][0, task]))
        return context.trained(
            dse.Training((task,), kept, frozen, trunk, distil=self.options.distil, passes=self.options.branch_passes)
        )

    def _trunks(self, params: dse.Params) -> NDArray[np.int64]:
        """Each task's trunk (P, T), which is also the owner of its layers."""
        return params["trunk"] if self.options.trunks > 1 else np.zeros(params["own"].shape, dtype=np.int64)


def spread(layers: int, count: int) -> tuple[int, ...]:
    """Layers that run if so many do: the first and the last, and others evenly between."""
    places: NDArray[np.float64] = np.linspace(0, layers - 1, count) if count > 1 else np.array([layers - 1.0])
    return tuple(int(place) for place in np.floor(places + 0.5))
