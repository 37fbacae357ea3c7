"""Schedules that visit each task once a cycle."""

from __future__ import annotations

import numpy as np

from dse.records.arrays import Floats, Ints
from dse.records.parameters import Float
from dse.records.params import Params
from dse.records.schedule import Schedule
from dse.records.workload import Workload

MOST = 1e6
"""Requests at a visit a study may ask for."""


def requests_per_visit(workload: Workload, points: int) -> Floats:
    """Requests (P, T) served at one visit of each task so that a cycle serves tasks in proportion to their rates.

    Args:
        workload: the tasks and their traffic.
        points: number of designs P.
    """
    return _share(workload, np.full(points, workload.traffic.batch))


def batch_parameter(workload: Workload) -> Float:
    """Give the parameter ``batch``: requests served at a visit, on average over tasks.

    It is the traffic's unless a space file gives it a range. A larger batch pays for writing a task's weights once for
    more requests, and lets them wait longer for their turn (``cycle_us``).

    Args:
        workload: the tasks and their traffic.
    """
    batch = workload.traffic.batch
    return Float(
        name="batch", low=batch, high=batch, default=batch, limits=(min(1.0, batch), max(MOST, batch)), log=True,
        unit="requests", summary="requests served at a visit of a task, on average over tasks",
    )  # fmt: skip


def in_turn(workload: Workload, tasks: Ints, params: Params) -> Schedule:
    """Visit tasks in an order, each as often as its rate asks for.

    Args:
        workload: tasks, rates and traffic.
        tasks: (P, T) every task once.
        params: of the scheduler; ``batch`` where it has that parameter.
    """
    batch = params["batch"] if "batch" in params else np.full(params.points, workload.traffic.batch)
    return Schedule(tasks, np.take_along_axis(_share(workload, batch), tasks, axis=1))


def listed_order(workload: Workload, points: int) -> Schedule:
    """Tasks in the order of the space file, each once a cycle.

    Args:
        workload: the tasks and their traffic.
        points: number of designs P.
    """
    tasks = len(workload.tasks)
    return Schedule(np.broadcast_to(np.arange(tasks), (points, tasks)), requests_per_visit(workload, points))


def _share(workload: Workload, batch: Floats) -> Floats:
    """Requests (P, T) at each task's visit, from their mean (P,) over tasks."""
    tasks = workload.tasks
    share = [1.0 if workload.traffic.mode == "shared" else task.rate * len(tasks) for task in tasks]
    return np.multiply.outer(batch, share)
