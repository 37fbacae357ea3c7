"""Generator ``shared-prefix``: the lowest layers of a task use the base's weights, untrained."""

from collections.abc import Iterable

import numpy as np

from dse.plugin import (
    BASE,
    Context,
    Generator,
    Int,
    Options,
    Parameter,
    Params,
    Plan,
    Weights,
    Workload,
    hookimpl,
    separate_models,
)


class SharedPrefix:
    """Layers below a task's depth belong to the base, the others to the task."""

    def __init__(self, options: Options) -> None:
        del options

    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """Depth of the prefix, for each task."""
        layers = workload.encoder.layers
        return (
            Int(
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

    def prepare(self, context: Context) -> None:
        """Nothing to do: nothing is trained."""

    def plan(self, workload: Workload, params: Params) -> Plan:
        """Give layers below each task's depth to the base."""
        own = separate_models(workload, params.points).owner
        below = np.arange(workload.encoder.layers) < params["depth"][:, :, None]
        return Plan(np.where(below, BASE, own))

    def weights(self, context: Context, params: Params, owner: int) -> Weights:
        """Give the base's or a task's own matrices."""
        del params
        return context.base_weights() if owner == BASE else context.task_weights(owner - 1)


@hookimpl
def dse_generators() -> Iterable[Generator]:
    """Yield the one generator."""
    yield Generator(
        name="shared-prefix", summary="lowest layers of each task use base weights, untrained", build=SharedPrefix
    )
