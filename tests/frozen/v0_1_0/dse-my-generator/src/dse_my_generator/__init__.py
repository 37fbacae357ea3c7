"""Generator ``my-generator``: some layers of each task use the base's weights, untrained."""

from __future__ import annotations

from collections.abc import Iterable

import dse
import numpy as np


class MyGeneratorOptions(dse.Options):
    """Options of ``my-generator``.

    Attributes:
        highest: share the highest layers instead of the lowest.
    """

    highest: bool = False


class MyGeneratorGenerator:
    """Gives as many layers of a task to the base as its parameter ``shared`` says."""

    def __init__(self, options: MyGeneratorOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """What a search may choose, for each task."""
        layers = workload.encoder.layers
        return (
            dse.Int(
                name="shared",
                low=0,
                high=layers // 2,
                default=0,
                limits=(0, layers),
                scope=("task",),
                unit="layers",
                summary="layers of the task that use the base's weights",
            ),
        )

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do before the first design: nothing is trained."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Say whose weights each task uses in each layer, (P, T, L)."""
        own = dse.separate_models(workload, params.points).owner
        layers = np.arange(workload.encoder.layers)
        if self.options.highest:
            layers = layers[::-1]
        return dse.Plan(np.where(layers < params["shared"][:, :, None], dse.BASE, own))

    def weights(
        self, context: dse.Context, params: dse.Params, owner: int
    ) -> dse.Weights:
        """Give the base's matrices, or those of the task that owns them."""
        if owner == dse.BASE:
            return context.base_weights()
        return context.task_weights(owner - 1)


@dse.hookimpl
def dse_generators() -> Iterable[dse.Generator]:
    """Yield the one generator."""
    yield dse.Generator(
        name="my-generator",
        summary="some layers of each task use the base's weights",
        build=MyGeneratorGenerator,
        options=MyGeneratorOptions,
    )
