"""Products in 16-bit brain floats, with and without instructions for them."""

from __future__ import annotations

import pytest
import torch

from dse.models import precision
from dse.models.precision import multiply


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("biased", [True, False])
def test_sums_are_rounded_once(native: bool, biased: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bf16", lambda _device: native)
    draw = torch.Generator().manual_seed(0)
    vector, weight, bias = (torch.randn(shape, generator=draw).bfloat16() for shape in ((64, 96), (48, 96), (48,)))
    given = multiply(vector, weight, bias if biased else None)
    exact = vector.double() @ weight.double().T + (bias.double() if biased else 0.0)
    assert given.dtype == torch.bfloat16
    assert bool(((given.double() - exact).abs() <= exact.abs() * 2**-8 + 1e-5).all())  # half a step of 8 bits


def test_other_precisions_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bf16", lambda _device: pytest.fail("asked for fp32"))
    vector, weight = torch.ones(2, 3), torch.full((4, 3), 0.1)
    assert torch.equal(multiply(vector, weight), torch.nn.functional.linear(vector, weight))
