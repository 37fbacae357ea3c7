"""Checks that ``my-generator`` keeps the contract of a generator, and does what it says."""

from typing import Any, ClassVar

import dse
import numpy as np
import pytest
from dse.testing import GeneratorTests, tiny_workload


def installed():
    return dse.Registry().discover().get("generator", "my-generator")


class TestMyGenerator(GeneratorTests):
    @pytest.fixture
    def record(self):
        return installed()


class TestMyGeneratorHighest(TestMyGenerator):
    options: ClassVar[dict[str, Any]] = {"highest": True}


@pytest.mark.parametrize(
    ("highest", "owners"), [(False, [0, 2, 2, 2]), (True, [2, 2, 2, 0])]
)
def test_one_layer_of_the_second_task_is_the_base(highest, owners):
    record, workload = installed(), tiny_workload(2, layers=4)
    plugin = record.build(record.options(highest=highest))
    params = dse.Params(1, {"shared": np.array([[0, 1]])})
    assert plugin.plan(workload, params).owner.tolist() == [[[1, 1, 1, 1], owners]]
