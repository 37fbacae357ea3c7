"""Compressor ``none``: every owner whole in 8 bits, each matrix on its own best grid; the baseline of the papers."""

from collections.abc import Iterable

import dse


class Uncompressed:
    """Quantises to 8 bits and keeps everything."""

    geometry_fields: tuple[str, ...] = ()

    def __init__(self, options: dse.Options) -> None:
        del options

    def parameters(self, workload: dse.Workload) -> tuple[dse.Parameter, ...]:
        """Nothing to choose."""
        del workload
        return ()

    def prepare(self, context: dse.Context) -> None:
        """Nothing to do."""

    def footprint(
        self, workload: dse.Workload, demand: dse.Demand, geometry: dse.Geometry, params: dse.Params
    ) -> dse.Footprint:
        """Take every row and column in full 8 bits."""
        del workload, geometry, params
        return dse.whole_footprint(demand)

    def store(
        self, weights: dse.Matrices, base: dse.Matrices, geometry: dse.Geometry, params: dse.Params, owner: int
    ) -> dict[tuple[int, int], dse.Stored]:
        """Store one term a matrix: codes on its own grid."""
        del base, geometry, params, owner
        return {key: dse.store_whole(weight) for key, weight in weights.items()}


@dse.hookimpl
def dse_compressors() -> Iterable[dse.Compressor]:
    """Yield the one compressor."""
    yield dse.Compressor(name="none", summary="every owner whole in 8 bits", build=Uncompressed)
