"""Compressor ``low-rank``: each difference as a product of two thin matrices, the first singular vectors in more bits.

Ping et al., "Delta-CoMe", NeurIPS 2024: singular vectors of a difference, the larger their singular value the more bits.
On crossbars the two factors are two products, one after the other, with a quantised vector between them. A factor is thin
on disk only: ``rank`` columns, or ``rank`` wordlines, take whole arrays, so what is saved is what is saved in arrays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import Array, DeltaCompressor, Difference, Part, Sizes

if TYPE_CHECKING:
    from torch import Tensor

DAMPING = 1e-6
"""Added to the mean square of the first factor's vectors, so that equal ones after rounding can be told apart."""


class LowRank(DeltaCompressor):
    """Singular vectors in two precisions."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Rank, how much of it is precise, and the bits of both kinds."""
        side = min(min(matrix.rows, matrix.columns) for matrix in workload.encoder.matrices)
        return (
            plugin.Int(
                name="rank", low=0, high=min(128, side), default=min(64, side), limits=(0, side), scope=("task",),
                summary="singular vectors kept of each matrix",
            ),
            plugin.Float(
                name="precise", low=0.0, high=1.0, default=0.25, limits=(0.0, 1.0), scope=("task",),
                summary="share of the singular vectors, the first, that have more bits",
            ),
            plugin.Int(name="high_bits", low=3, high=7, default=7, limits=(1, 7), unit="bit", summary="magnitude bits of the precise ones"),
            plugin.Int(name="low_bits", low=1, high=2, default=1, limits=(1, 7), unit="bit", summary="magnitude bits of the others"),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Take two factors of each precision; each has a scale for every output of its own."""
        across = (slice(None), slice(None), None, None)
        rank = np.minimum(params["rank"][across], np.minimum(sizes.rows, sizes.columns))
        precise = _precise(rank, params["precise"][across])
        found: list[Part] = []
        for count, name in ((precise, "high_bits"), (rank - precise, "low_bits")):
            magnitude = (count > 0) * (2.0 ** params[name][:, None, None, None] - 1)
            found.append(Part(sizes.rows, count, magnitude, plugin.SCALE_BITS * count))
            found.append(
                Part(count, sizes.columns, magnitude, plugin.SCALE_BITS * sizes.columns, fed_by=len(found) - 1)
            )
        return tuple(found)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the first singular vectors, then those of what these leave out; outputs are refitted to rounded inputs."""
        rank = min(int(params["rank"][0, difference.place]), *difference.values.shape)
        precise = int(_precise(np.array(rank), params["precise"][0, difference.place]))
        left = difference.values
        found: list[plugin.Term] = []
        for count, name in ((precise, "high_bits"), (rank - precise, "low_bits")):
            bits = int(params[name][0])
            if not count:
                nothing = plugin.Term(difference.codes[:0, :0], difference.values[0, :0], 2**bits - 1)
                found += [nothing, replace(nothing, fed_by=len(found))]
                continue
            first = round_factor(_singular(left, count), bits)
            rebuilt = first.codes * first.scale
            second = round_factor(_fit_factor(left, rebuilt), bits)
            left = left - (second.codes * second.scale) @ rebuilt
            found += [first, replace(second, fed_by=len(found))]
        return tuple(found)


def _precise(rank: Array, share: Array) -> Array:
    """Singular vectors that have more bits."""
    return np.floor(share * rank + 0.5)


def _singular(values: Tensor, count: int) -> Tensor:
    """First right singular vectors (count, inputs) of a matrix (outputs, inputs)."""
    import torch

    vectors: Tensor = torch.linalg.svd(values.double(), full_matrices=False)[2]
    return vectors[:count].float()


def _fit_factor(values: Tensor, first: Tensor) -> Tensor:
    """Outputs (outputs, rank) that make the product with these inputs' factor closest to a matrix."""
    import torch

    gram = first.double() @ first.double().T
    damping = DAMPING * gram.diagonal().mean().clamp_min(torch.finfo(torch.float32).tiny)
    damped = gram + damping * torch.eye(len(gram), dtype=gram.dtype)
    outputs: Tensor = torch.linalg.solve(damped, first.double() @ values.double().T)
    return outputs.T.float()


def round_factor(factor: Tensor, bits: int) -> plugin.Term:
    """Put a factor on a grid for each of its outputs."""
    import torch

    top = 2**bits - 1
    scale = plugin.best_scale(factor, per_channel=True, bits=bits + 1)
    codes = (factor / scale).round_().clamp_(-top, top)
    return plugin.Term(codes.to(torch.int16), scale, top)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="low-rank",
        summary="singular vectors of each difference in two precisions, two products in sequence",
        build=LowRank,
        source="Ping et al., Delta-CoMe, NeurIPS 2024",
    )
