"""Scheduler ``greedy``: after each task the task that is cheapest to switch to, from the best first task."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dse import plugin


class Greedy(plugin.Base):
    """Each task once per turn, the nearest task next."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the requests per visit."""
        return (plugin.batch_parameter(workload),)

    def order(self, components: plugin.Components, workload: plugin.Workload, params: plugin.Params) -> plugin.Schedule:
        """Try every task as the first, and keep the cheapest of these orders."""
        cost = components.switch_energy_uj
        tasks = cost.shape[1]
        tours = np.stack([_nearest(cost, first) for first in range(tasks)], axis=1)  # (P, T, T)
        points = np.arange(len(cost))
        charges = plugin.charge_switches(components, tours.reshape(-1, tasks), np.repeat(points, tasks))
        lengths = charges["switch_energy_uj"].sum(axis=1).reshape(-1, tasks)
        return plugin.in_turn(workload, tours[points, lengths.argmin(axis=1)], params)


def _nearest(cost: NDArray[np.float64], first: int) -> NDArray[np.int64]:
    """Return the order (P, T) that begins with one task and goes on with the nearest task that is left."""
    points, tasks = np.arange(len(cost)), cost.shape[1]
    tour = np.full((len(cost), tasks), first, dtype=np.int64)
    left = np.ones((len(cost), tasks), dtype=bool)
    left[:, first] = False
    for step in range(1, tasks):
        tour[:, step] = np.where(left, cost[points, tour[:, step - 1]], np.inf).argmin(axis=1)
        left[points, tour[:, step]] = False
    return tour


@plugin.hookimpl
def dse_schedulers() -> Iterable[plugin.Scheduler]:
    """Yield the one scheduler."""
    yield plugin.Scheduler(
        api=2, name="greedy", summary="order in which the task that is cheapest to switch to comes next", build=Greedy
    )
