"""Generator ``independent``: N separate models, as each task was fine-tuned."""

from collections.abc import Iterable

from dse import plugin


class Independent(plugin.Base):
    """Every task owns all its layers."""

    def plan(self, workload: plugin.Workload, params: plugin.Params) -> plugin.Plan:
        """Give every layer of a task to the task itself."""
        return plugin.separate_models(workload, params.points)

    def weights(self, context: plugin.Context, params: plugin.Params, owner: int) -> plugin.Weights:
        """Return the base's or a task's own matrices; a task is fine-tuned when its weights are first requested."""
        del params
        return context.base_weights() if owner == plugin.BASE else context.task_weights(owner - 1)


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(api=2, name="independent", summary="N separate fine-tuned models", build=Independent)
