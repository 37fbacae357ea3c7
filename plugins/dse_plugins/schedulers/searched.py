"""Scheduler ``searched``: the order of the tasks is a parameter of the search."""

from collections.abc import Iterable

import dse


class Searched:
    """Each task once a cycle, in the order the search chose."""

    def __init__(self, options: dse.Options) -> None:
        del options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """The order, as a permutation of the tasks, and requests at a visit."""
        return (
            dse.Permutation(name="order", summary="order in which tasks are served"),
            dse.batch_parameter(workload),
        )

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do."""

    def order(self, components: dse.Components, workload: dse.Workload, params: dse.Params) -> dse.Schedule:
        """Serve tasks in each point's order."""
        del components
        return dse.in_turn(workload, params["order"], params)


@dse.hookimpl
def dse_schedulers() -> Iterable[dse.Scheduler]:
    """Yield the one scheduler."""
    yield dse.Scheduler(name="searched", summary="order of the tasks searched as a permutation", build=Searched)
