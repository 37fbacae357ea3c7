"""Generator ``shared-prefix``: the lowest layers of a task use the base's weights, untrained."""

from collections.abc import Iterable

import numpy as np

from dse import plugin


class SharedPrefix:
    """Layers below a task's depth belong to the base, the others to the task."""

    def __init__(self, options: plugin.Options) -> None:
        del options

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Depth of the prefix, for each task."""
        layers = workload.encoder.layers
        return (
            plugin.Int(
                name="depth",
                low=0,
                high=layers // 2,
                default=0,
                limits=(0, layers),
                scope=("task",),
                unit="layers",
                summary="lowest layers of the task that use base weights",
            ),
        )

    def prepare(self, context: plugin.Context) -> None:
        """Nothing to do: nothing is trained."""

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Give layers below each task's depth to the base."""
        own = plugin.separate_models(workload, params.points).owner
        below = np.arange(workload.encoder.layers) < params["depth"][:, :, None]
        return plugin.Plan(np.where(below, plugin.BASE, own))

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights:
        """Give the base's or a task's own matrices."""
        del params
        return context.base_weights() if owner == plugin.BASE else context.task_weights(owner - 1)


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(
        name="shared-prefix", summary="lowest layers of each task use base weights, untrained", build=SharedPrefix
    )
