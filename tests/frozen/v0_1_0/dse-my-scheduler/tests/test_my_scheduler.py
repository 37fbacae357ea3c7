"""Checks that ``my-scheduler`` keeps the contract of a scheduler, and does what it says."""

from typing import Any, ClassVar

import dse
import numpy as np
import pytest
from dse.testing import SchedulerTests, tiny_components, tiny_workload


def installed():
    return dse.Registry().discover().get("scheduler", "my-scheduler")


class TestMyScheduler(SchedulerTests):
    @pytest.fixture
    def record(self):
        return installed()


class TestMySchedulerSmallestFirst(TestMyScheduler):
    options: ClassVar[dict[str, Any]] = {"smallest_first": True}


@pytest.mark.parametrize(("by", "first"), [("rate", 0), ("tokens", 2)])
def test_the_largest_is_served_first(by, first):
    record, workload = installed(), tiny_workload(3)
    plugin = record.build(record.options())
    params = dse.Params(1, {"by": np.array([by])})
    schedule = plugin.order(tiny_components(workload), workload, params)
    assert schedule.task[0, 0] == first
