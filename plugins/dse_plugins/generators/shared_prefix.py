"""Generator ``shared-prefix``: the lowest layers of a task use the base's weights, untrained."""

from collections.abc import Iterable

import numpy as np

import dse


class SharedPrefix:
    """Layers below a task's depth belong to the base, the others to the task."""

    def __init__(self, options: dse.Options) -> None:
        del options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Depth of the prefix, for each task."""
        layers = workload.encoder.layers
        return (
            dse.Int(
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

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do: nothing is trained."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Give layers below each task's depth to the base."""
        own = dse.separate_models(workload, params.points).owner
        below = np.arange(workload.encoder.layers) < params["depth"][:, :, None]
        return dse.Plan(np.where(below, dse.BASE, own))

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights:
        """Give the base's or a task's own matrices."""
        del params
        return context.base_weights() if owner == dse.BASE else context.task_weights(owner - 1)


@dse.hookimpl
def dse_generators() -> Iterable[dse.Generator]:
    """Yield the one generator."""
    yield dse.Generator(
        name="shared-prefix", summary="lowest layers of each task use base weights, untrained", build=SharedPrefix
    )
