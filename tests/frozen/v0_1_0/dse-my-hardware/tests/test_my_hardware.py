"""Checks that ``my-hardware`` keeps the contract of hardware, and does what it says."""

from typing import Any, ClassVar

import dse
import numpy as np
import pytest
from dse.testing import HardwareTests


def installed():
    return dse.Registry().discover().get("hardware", "my-hardware")


class TestMyHardware(HardwareTests):
    @pytest.fixture
    def record(self):
        return installed()


class TestMyHardwareExpensiveConversions(TestMyHardware):
    options: ClassVar[dict[str, Any]] = {"conversion_pj": 100.0}


def test_a_larger_array_needs_a_finer_converter():
    record = installed()
    plugin = record.build(record.options())
    params = dse.Params(2, {"array_size": np.array([64, 256])})
    assert plugin.geometry(params).adc_bits.tolist() == [7, 9]
