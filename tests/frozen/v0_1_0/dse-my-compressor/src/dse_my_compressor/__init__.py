"""Compressor ``my-compressor``: every owner whole, on a grid of fewer bits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import dse
import numpy as np


class MyCompressorOptions(dse.Options):
    """Options of ``my-compressor``.

    Attributes:
        per_channel: one grid for each output of a matrix instead of one for the matrix.
    """

    per_channel: bool = False


class MyCompressorCompressor:
    """Rounds every matrix to codes of as many bits as its parameter ``bits`` says."""

    geometry_fields: tuple[str, ...] = ()

    def __init__(self, options: MyCompressorOptions) -> None:
        self.options = options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """What a search may choose."""
        return (
            dse.Int(
                name="bits",
                low=4,
                high=8,
                default=8,
                limits=(2, 8),
                unit="bit",
                summary="bits of a code, its sign included",
            ),
        )

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do before the first design."""

    def footprint(
        self,
        workload: dse.Workload,
        demand: dse.Demand,
        geometry: dse.Geometry,
        params: dse.Params,
    ) -> dse.Footprint:
        """Take every row and column, with codes as large as the bits allow."""
        whole = dse.whole_footprint(demand)
        (piece,) = whole.pieces
        largest = (2.0 ** (params["bits"] - 1) - 1)[:, None, None, None]
        smaller = replace(piece, magnitude=np.where(piece.magnitude > 0, largest, 0.0))
        scales = piece.columns if self.options.per_channel else 1
        return replace(
            whole, pieces=(smaller,), digital_bits=whole.digital_bits * scales
        )

    def store(
        self,
        weights: dse.Matrices,
        base: dse.Matrices,
        geometry: dse.Geometry,
        params: dse.Params,
        owner: int,
    ) -> dict[tuple[int, int], dse.Stored]:
        """Store one term a matrix: the very codes that the footprint announced."""
        import torch  # heavy: loaded when it is needed, not when plugins are listed

        bits = int(params["bits"][0])
        largest = 2 ** (bits - 1) - 1
        stored = {}
        for key, weight in weights.items():
            scale = dse.best_scale(
                weight, per_channel=self.options.per_channel, bits=bits
            )
            codes = dse.quantise(weight, scale, bits=bits).clamp(-largest, largest)
            term = dse.Term(codes.to(torch.int16), scale, largest)
            stored[key] = dse.Stored((term,))
        return stored


@dse.hookimpl
def dse_compressors() -> Iterable[dse.Compressor]:
    """Yield the one compressor."""
    yield dse.Compressor(
        name="my-compressor",
        summary="every owner whole, on a grid of fewer bits",
        build=MyCompressorCompressor,
        options=MyCompressorOptions,
    )
