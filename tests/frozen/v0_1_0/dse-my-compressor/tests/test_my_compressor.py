"""Checks that ``my-compressor`` keeps the contract of a compressor, and does what it says."""

from typing import Any, ClassVar

import dse
import numpy as np
import pytest
from dse.testing import CompressorTests, TinyContext, tiny_geometry, tiny_workload


def installed():
    return dse.Registry().discover().get("compressor", "my-compressor")


class TestMyCompressor(CompressorTests):
    @pytest.fixture
    def record(self):
        return installed()


class TestMyCompressorPerChannel(TestMyCompressor):
    options: ClassVar[dict[str, Any]] = {"per_channel": True}


@pytest.mark.parametrize(("bits", "largest"), [(4, 7), (8, 127)])
def test_codes_have_their_bits(bits, largest):
    record, context = installed(), TinyContext(tiny_workload())
    plugin = record.build(record.options())
    base = dse.Matrices(context.base_weights())
    params = dse.Params(1, {"bits": np.array([bits])})
    for matrix in plugin.store(base, base, tiny_geometry(), params, dse.BASE).values():
        assert int(matrix.terms[0].codes.abs().max()) == largest
