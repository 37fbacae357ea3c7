"""Conformance suite of task schedulers."""

from typing import Any, ClassVar

import numpy as np

from dse.cost.check_schedule import check_schedule
from dse.records.params import Params
from dse.records.plugin import Kind, PluginRecord
from dse.records.workload import Workload
from dse.testing.common import PluginTests
from dse.testing.outcomes import Check, after, once_each
from dse.testing.workloads import tiny_components


@once_each
class SchedulerTests(PluginTests):
    """Checks of a `dse.TaskScheduler`: every task is served, in proportion to its rate."""

    kind: ClassVar[Kind] = "scheduler"

    def evaluate_batch(self, plugin: Any, workload: Workload, params: Params) -> Any:
        """Return the schedule, on charges that are the same for every design."""
        return plugin.order(tiny_components(workload, params.points), workload, params)

    def test_schedule_has_its_shape(self, record: PluginRecord) -> None:
        """Tasks and batches both have the shape (P, n), tasks exist, and batches are above 0."""
        after(self.test_is_deterministic, record=record)
        for plugin, workload, params in self.cases(record):
            made = self.evaluate(plugin, workload, params)
            task, batch = np.asarray(made.task), np.asarray(made.batch)
            assert task.ndim == 2, f"Schedule.task must be (P, n), found shape {task.shape}"
            assert len(task) == 1, f"Schedule.task of one design has {len(task)}"
            assert batch.shape == task.shape, f"Schedule.batch has shape {batch.shape}, Schedule.task {task.shape}"
            assert task.dtype.kind == "i", f"Schedule.task must be whole numbers, found {task.dtype}"
            assert np.isin(task, range(len(workload.tasks))).all(), f"Schedule.task names no task: {task.tolist()}"
            assert (np.isfinite(batch) & (batch > 0)).all(), f"batches must be above 0: {batch.tolist()}"

    def test_every_task_is_served_by_its_rate(self, record: PluginRecord) -> None:
        """No task is dropped, and each gets its share of requests."""
        after(self.test_schedule_has_its_shape, record=record)
        for plugin, workload, params in self.cases(record):
            check_schedule(workload, self.evaluate(plugin, workload, params), f"scheduler {record.name!r}")

    @property
    def sound(self) -> Check:
        """The check without which schedules cannot be compared."""
        return self.test_every_task_is_served_by_its_rate
