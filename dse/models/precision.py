"""Arithmetic in 16-bit brain floats (bf16), on devices with and without instructions for it."""

import torch
from torch import Tensor
from torch.nn import functional


def has_bf16(device: str) -> bool:
    """Return whether a device computes 16-bit brain floats natively, so that they are faster than float32."""
    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def multiply(vector: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply (..., inputs) by a matrix (outputs, inputs), add a bias (outputs,), and round to the vector's precision.

    A product of two bf16 numbers is exact in fp32, and bf16 arithmetic sums in fp32. A CPU without instructions for bf16
    therefore computes in fp32 here and rounds the sums, which is about seven times faster than its bf16.
    """
    if vector.dtype != torch.bfloat16 or has_bf16(vector.device.type):
        return functional.linear(vector, weight, bias)
    wide = functional.linear(vector.float(), weight.float(), None if bias is None else bias.float())
    return wide.to(vector.dtype)
