"""Checks of the schedule that a scheduler gives."""

from __future__ import annotations

import numpy as np

from dse.errors import PluginContractError
from dse.records.schedule import Schedule
from dse.records.workload import Workload


def check_schedule(workload: Workload, schedule: Schedule, who: str) -> None:
    """Refuse a schedule that drops a task or serves tasks out of proportion to their rates."""
    tasks = len(workload.tasks)
    points = len(schedule.task)
    requests = np.zeros((points, tasks))
    steps = np.arange(points)[:, None], schedule.task
    if schedule.task.min(initial=0) >= 0 and schedule.task.max(initial=0) < tasks:
        np.add.at(requests, steps, schedule.batch)
    share = requests / np.maximum(requests.sum(axis=1, keepdims=True), 1e-300)
    rates = np.full(tasks, 1 / tasks) if workload.traffic.mode == "shared" else [task.rate for task in workload.tasks]
    wanted = np.broadcast_to(np.asarray(rates), share.shape)
    if not np.allclose(share, wanted, atol=1e-6):
        bad = int(np.abs(share - wanted).max(axis=1).argmax())
        raise PluginContractError(
            f"{who}: the schedule does not serve every task in proportion to its rate",
            expected={task.name: round(float(rate), 4) for task, rate in zip(workload.tasks, wanted[bad], strict=True)},
            found={task.name: round(float(rate), 4) for task, rate in zip(workload.tasks, share[bad], strict=True)},
        )
