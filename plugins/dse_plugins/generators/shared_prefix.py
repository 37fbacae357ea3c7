"""Generator ``shared-prefix``: the lowest layers of a task use the base's weights, untrained."""

from collections.abc import Iterable

import numpy as np

from dse import plugin
from dse_plugins.generators.independent import Independent


class SharedPrefix(Independent):
    """Layers below a task's depth belong to the base, the others to the task."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the depth of the prefix, for each task."""
        layers = workload.encoder.layers
        return (
            plugin.Int(
                name="depth", low=0, high=layers // 2, default=0, limits=(0, layers), scope=("task",), unit="layers",
                summary="lowest layers of the task that use base weights",
            ),
        )  # fmt: skip

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Give layers below each task's depth to the base."""
        own = plugin.separate_models(workload, params.points).owner
        below = np.arange(workload.encoder.layers) < params["depth"][:, :, None]
        return plugin.Plan(np.where(below, plugin.BASE, own))


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(
        api=2,
        name="shared-prefix",
        summary="lowest layers of each task with base weights, without training",
        build=SharedPrefix,
    )
