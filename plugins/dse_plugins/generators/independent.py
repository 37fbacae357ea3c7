"""Generator ``independent``: N separate models, as each task was fine-tuned."""

from collections.abc import Iterable

from dse.plugin import (
    BASE,
    Context,
    Generator,
    Options,
    Parameter,
    Params,
    Plan,
    Weights,
    Workload,
    hookimpl,
    separate_models,
)


class Independent:
    """Every task owns all its layers."""

    def __init__(self, options: Options) -> None:
        del options

    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """Nothing to choose."""
        del workload
        return ()

    def prepare(self, context: Context) -> None:
        """Nothing to do: tasks are fine-tuned when their weights are first asked for."""

    def plan(self, workload: Workload, params: Params) -> Plan:
        """Give every layer to its task."""
        return separate_models(workload, params.points)

    def weights(self, context: Context, params: Params, owner: int) -> Weights:
        """Give the base's or a task's own matrices."""
        del params
        return context.base_weights() if owner == BASE else context.task_weights(owner - 1)


@hookimpl
def dse_generators() -> Iterable[Generator]:
    """Yield the one generator."""
    yield Generator(name="independent", summary="N separate fine-tuned models", build=Independent)
