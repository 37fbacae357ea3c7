"""Schedules that visit each task once per turn."""

from __future__ import annotations

import numpy as np

from dse.records.arrays import Floats, Ints
from dse.records.parameters import Float
from dse.records.params import Params
from dse.records.schedule import Schedule
from dse.records.workload import Workload

MOST = 1e6
"""Largest batch that a study may ask for, requests per visit."""


def requests_per_visit(workload: Workload, points: int) -> Floats:
    """Return the requests (P, T) of one visit of each task, so that a turn serves tasks in proportion to their rates.

    Args:
        workload: the tasks and their traffic.
        points: number of designs P.
    """
    return _share(workload, np.full(points, workload.traffic.batch))


def batch_parameter(workload: Workload) -> Float:
    """Give the parameter ``batch``: requests served at a visit, on average over tasks.

    Its value is the traffic's batch unless a space file gives it a range. With a larger batch, one write of a task's weights
    serves more requests, and each request waits longer (``cycle_us``).

    Args:
        workload: the tasks and their traffic.
    """
    batch = workload.traffic.batch
    return Float(
        name="batch", low=batch, high=batch, default=batch, limits=(min(1.0, batch), max(MOST, batch)), log=True,
        unit="requests", summary="requests served at a visit of a task, on average over tasks",
    )  # fmt: skip


def in_turn(workload: Workload, tasks: Ints, params: Params) -> Schedule:
    """Return the schedule that visits tasks in an order, each with as many requests as its rate asks for.

    Args:
        workload: tasks, rates and traffic.
        tasks: (P, T) order of the tasks, every task once.
        params: parameters of the scheduler, ``batch`` among them where it has that parameter.
    """
    batch = params["batch"] if "batch" in params else np.full(params.points, workload.traffic.batch)
    return Schedule(tasks, np.take_along_axis(_share(workload, batch), tasks, axis=1))


def listed_order(workload: Workload, points: int) -> Schedule:
    """Return the schedule in the order of the space file, with each task once per turn.

    Args:
        workload: the tasks and their traffic.
        points: number of designs P.
    """
    tasks = len(workload.tasks)
    return Schedule(np.broadcast_to(np.arange(tasks), (points, tasks)), requests_per_visit(workload, points))


def _share(workload: Workload, batch: Floats) -> Floats:
    """Return the requests (P, T) at each task's visit, from their mean (P,) over tasks."""
    tasks = workload.tasks
    share = [1.0 if workload.traffic.mode == "shared" else task.rate * len(tasks) for task in tasks]
    return np.multiply.outer(batch, share)
