"""Scheduler ``searched``: the order of the tasks is a parameter of the search."""

from collections.abc import Iterable

from dse import plugin


class Searched(plugin.Base):
    """Each task once per turn, in the order that the search chose."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the order, as a permutation of the tasks, and the requests per visit."""
        return (
            plugin.Permutation(name="order", summary="order in which tasks are served"),
            plugin.batch_parameter(workload),
        )

    def order(self, components: plugin.Components, workload: plugin.Workload, params: plugin.Params) -> plugin.Schedule:
        """Serve tasks in each design's order."""
        del components
        return plugin.in_turn(workload, params["order"], params)


@plugin.hookimpl
def dse_schedulers() -> Iterable[plugin.Scheduler]:
    """Yield the one scheduler."""
    yield plugin.Scheduler(
        api=2, name="searched", summary="order of the tasks, searched as a permutation", build=Searched
    )
