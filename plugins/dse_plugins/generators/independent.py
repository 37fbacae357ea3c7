"""Generator ``independent``: N separate models, as each task was fine-tuned."""

from collections.abc import Iterable

import dse


class Independent:
    """Every task owns all its layers."""

    def __init__(self, options: dse.Options) -> None:
        del options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Nothing to choose."""
        del workload
        return ()

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do: tasks are fine-tuned when their weights are first asked for."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        """Give every layer to its task."""
        return dse.separate_models(workload, params.points)

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights:
        """Give the base's or a task's own matrices."""
        del params
        return context.base_weights() if owner == dse.BASE else context.task_weights(owner - 1)


@dse.hookimpl
def dse_generators() -> Iterable[dse.Generator]:
    """Yield the one generator."""
    yield dse.Generator(name="independent", summary="N separate fine-tuned models", build=Independent)
