"""Compressor ``low-rank``: each delta as a product of two thin matrices, the first singular vectors in more bits.

Ping et al., "Delta-CoMe", NeurIPS 2024: singular vectors of a delta have more bits if their singular value is larger.
On crossbars the two factors are two products, one after the other, with a quantised vector between them. A factor is
thin on disk only: ``rank`` columns, or ``rank`` wordlines, take whole arrays, so only whole arrays are saved.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from dse import plugin
from dse_plugins.compressors.deltas.common import DeltaCompressor, Difference, Part, Sizes
from dse_plugins.shared import Array, Tensor

DAMPING = 1e-6
"""Share of the first factor's mean square that is added, so that vectors equal after rounding have a solution."""


class LowRank(DeltaCompressor):
    """Singular vectors in two precisions."""

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the rank, the share of it that is precise, and the bits of both kinds."""
        side = min(min(matrix.rows, matrix.columns) for matrix in workload.encoder.matrices)
        return (
            plugin.Int(
                name="rank", low=0, high=min(128, side), default=min(64, side), limits=(0, side), scope=("task",),
                summary="number of singular vectors kept of each matrix",
            ),
            plugin.Float(
                name="precise", low=0.0, high=1.0, default=0.25, limits=(0.0, 1.0), scope=("task",),
                summary="share of the singular vectors, from the first on, that have more bits",
            ),
            plugin.Int(name="high_bits", low=3, high=7, default=7, limits=(1, 7), unit="bit", summary="magnitude bits of the precise vectors"),
            plugin.Int(name="low_bits", low=1, high=2, default=1, limits=(1, 7), unit="bit", summary="magnitude bits of the other vectors"),
        )  # fmt: skip

    def parts(self, sizes: Sizes, params: plugin.Params) -> tuple[Part, ...]:
        """Announce two factors of each precision; a factor has one scale for each of its outputs."""
        across = (slice(None), slice(None), None, None)
        rank = np.minimum(params["rank"][across], np.minimum(sizes.rows, sizes.columns))
        precise = _precise(rank, params["precise"][across])
        parts: list[Part] = []
        for count, name in ((precise, "high_bits"), (rank - precise, "low_bits")):
            magnitude = (count > 0) * (2.0 ** params[name][:, None, None, None] - 1)
            parts.append(Part(sizes.rows, count, magnitude, plugin.SCALE_BITS * count))
            bits = plugin.SCALE_BITS * sizes.columns
            parts.append(Part(count, sizes.columns, magnitude, bits, fed_by=len(parts) - 1))
        return tuple(parts)

    def terms(self, difference: Difference, params: plugin.Params) -> tuple[plugin.Term, ...]:
        """Store the first singular vectors, then those of the rest; outputs are fitted again to the rounded inputs."""
        rank = min(int(params["rank"][0, difference.place]), *difference.values.shape)
        precise = int(_precise(np.array(rank), params["precise"][0, difference.place]))
        left = difference.values
        terms: list[plugin.Term] = []
        for count, name in ((precise, "high_bits"), (rank - precise, "low_bits")):
            bits = int(params[name][0])
            if not count:
                nothing = plugin.Term(difference.codes[:0, :0], difference.values[0, :0], 2**bits - 1)
                terms += [nothing, replace(nothing, fed_by=len(terms))]
                continue
            first = round_factor(_singular(left, count), bits)
            rebuilt = first.codes * first.scale
            second = round_factor(_fit_factor(left, rebuilt), bits)
            left = left - (second.codes * second.scale) @ rebuilt
            terms += [first, replace(second, fed_by=len(terms))]
        return tuple(terms)


def _precise(rank: Array, share: Array) -> Array:
    """Number of singular vectors that have more bits."""
    return np.floor(share * rank + 0.5)


def _singular(values: Tensor, count: int) -> Tensor:
    """First right singular vectors (count, inputs) of a matrix (outputs, inputs)."""
    import torch

    vectors: Tensor = torch.linalg.svd(values.double(), full_matrices=False)[2]
    return vectors[:count].float()


def _fit_factor(values: Tensor, first: Tensor) -> Tensor:
    """Return the factor (outputs, rank) that makes the product with the first factor closest to a matrix."""
    import torch

    gram = first.double() @ first.double().T
    damping = DAMPING * gram.diagonal().mean().clamp_min(torch.finfo(torch.float32).tiny)
    damped = gram + damping * torch.eye(len(gram), dtype=gram.dtype)
    outputs: Tensor = torch.linalg.solve(damped, first.double() @ values.double().T)
    return outputs.T.float()


def round_factor(factor: Tensor, bits: int) -> plugin.Term:
    """Put a factor on grids, one for each of its outputs."""
    return plugin.store_in_bits(factor, bits).terms[0]


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="low-rank",
        summary="singular vectors of each delta in two precisions, multiplied as two products in sequence",
        build=LowRank,
        source="Ping et al., Delta-CoMe, NeurIPS 2024",
    )
