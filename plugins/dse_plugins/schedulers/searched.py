"""Scheduler ``searched``: the order of the tasks is a parameter of the search."""

from collections.abc import Iterable

from dse.plugin import (
    Components,
    Context,
    Options,
    Parameter,
    Params,
    Permutation,
    Schedule,
    Scheduler,
    Workload,
    batch_parameter,
    hookimpl,
    in_turn,
)


class Searched:
    """Each task once a cycle, in the order the search chose."""

    def __init__(self, options: Options) -> None:
        del options

    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """The order, as a permutation of the tasks, and requests at a visit."""
        return (
            Permutation(name="order", summary="order in which tasks are served"),
            batch_parameter(workload),
        )

    def prepare(self, context: Context) -> None:
        """Nothing to do."""

    def order(self, components: Components, workload: Workload, params: Params) -> Schedule:
        """Serve tasks in each point's order."""
        del components
        return in_turn(workload, params["order"], params)


@hookimpl
def dse_schedulers() -> Iterable[Scheduler]:
    """Yield the one scheduler."""
    yield Scheduler(name="searched", summary="order of the tasks searched as a permutation", build=Searched)
