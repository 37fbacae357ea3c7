"""Scheduler ``fixed``: tasks in a given order."""

from collections.abc import Iterable

import numpy as np
from pydantic import Field

from dse import plugin
from dse.errors import SpaceError


class FixedOptions(plugin.Options):
    """Options of ``fixed``.

    Attributes:
        order: task names in the order of service; empty for the order of the space file.
    """

    order: list[str] = Field(default_factory=list)


class Fixed(plugin.Base):
    """Each task once per turn, always in the same order."""

    options: FixedOptions

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the requests per visit, and check the option against the workload."""
        if self.options.order and sorted(self.options.order) != sorted(workload.task_names):
            raise SpaceError(
                "option 'order' of scheduler 'fixed' does not list every task once",
                where="[scheduler.fixed.options] order",
                expected=", ".join(workload.task_names),
                found=", ".join(self.options.order),
            )
        return (plugin.batch_parameter(workload),)

    def order(self, components: plugin.Components, workload: plugin.Workload, params: plugin.Params) -> plugin.Schedule:
        """Serve tasks in the given order."""
        del components
        names = [name for name in self.options.order or workload.task_names if name in workload.task_names]
        steps = np.array([workload.task_names.index(name) for name in names])
        return plugin.in_turn(workload, np.broadcast_to(steps, (params.points, len(steps))), params)


@plugin.hookimpl
def dse_schedulers() -> Iterable[plugin.Scheduler]:
    """Yield the one scheduler."""
    yield plugin.Scheduler(api=2, name="fixed", summary="tasks in a given order", build=Fixed, options=FixedOptions)
