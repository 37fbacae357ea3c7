"""Generator ``independent``: N separate models, as each task was fine-tuned."""

from collections.abc import Iterable

from dse import plugin


class Independent:
    """Every task owns all its layers."""

    def __init__(self, options: plugin.Options) -> None:
        del options

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Nothing to choose."""
        del workload
        return ()

    def prepare(self, context: plugin.Context) -> None:
        """Nothing to do: tasks are fine-tuned when their weights are first asked for."""

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Give every layer to its task."""
        return plugin.separate_models(workload, params.points)

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights:
        """Give the base's or a task's own matrices."""
        del params
        return context.base_weights() if owner == plugin.BASE else context.task_weights(owner - 1)


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(name="independent", summary="N separate fine-tuned models", build=Independent)
