"""Compressor ``lora``: frozen arrays, and beside them a low-rank difference that the digital unit multiplies.

Hu et al., "LoRA", ICLR 2022, placed as in "analog hardware-aware LoRA" (arXiv 2411.17367): the arrays hold the base and are
never written; each task's two thin factors lie in SRAM. Without training the factors are those of the difference of the
fine-tuned weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

import dse
from dse_plugins.compressors.deltas.common import Difference, Part, Sizes
from dse_plugins.compressors.deltas.low_rank import LowRank


class Lora(LowRank):
    """Singular vectors in one precision, in SRAM."""

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Rank, and bits of the factors."""
        side = min(min(matrix.rows, matrix.columns) for matrix in workload.encoder.matrices)
        return (
            dse.Int(
                name="rank", low=0, high=min(16, side), default=min(8, side), limits=(0, side), scope=("task",),
                summary="singular vectors kept of each matrix",
            ),
            dse.Int(name="bits", low=3, high=7, default=7, limits=(1, 7), unit="bit", summary="magnitude bits of the factors"),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: dse.Params) -> tuple[Part, ...]:
        """Take two factors in SRAM."""
        found = []
        for part in super().parts(sizes, _one_precision(params))[:2]:
            bits = part.bits + part.rows * part.columns * (1 + params["bits"][:, None, None, None])
            found.append(part._replace(bits=bits, digital=True))
        return tuple(found)

    def terms(self, difference: Difference, params: dse.Params) -> tuple[dse.Term, ...]:
        """Store the singular vectors, and the outputs refitted to them."""
        return tuple(replace(term, digital=True) for term in super().terms(difference, _one_precision(params))[:2])


def _one_precision(params: dse.Params) -> dse.Params:
    """As `LowRank` calls them: all vectors precise, in these bits."""
    values = {"rank": params["rank"], "precise": np.ones(params["rank"].shape)}
    return dse.Params(params.points, values | dict.fromkeys(("high_bits", "low_bits"), params["bits"]))


@dse.hookimpl
def dse_compressors() -> Iterable[dse.Compressor]:
    """Yield the one compressor."""
    yield dse.Compressor(
        name="lora",
        summary="frozen arrays, and low-rank differences multiplied in the digital unit",
        build=Lora,
        source="Hu et al., LoRA, ICLR 2022; placed as in arXiv 2411.17367",
    )
