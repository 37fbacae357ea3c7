"""Compressor ``none``: every owner whole in 8 bits, each matrix on its own best grid; the baseline of the papers."""

from collections.abc import Iterable

from dse.plugin import (
    Compressor,
    Context,
    Demand,
    Footprint,
    Geometry,
    Matrices,
    Options,
    Parameter,
    Params,
    Stored,
    Workload,
    hookimpl,
    store_whole,
    whole_footprint,
)


class Uncompressed:
    """Quantises to 8 bits and keeps everything."""

    geometry_fields: tuple[str, ...] = ()

    def __init__(self, options: Options) -> None:
        del options

    def parameters(self, workload: Workload) -> tuple[Parameter, ...]:
        """Nothing to choose."""
        del workload
        return ()

    def prepare(self, context: Context) -> None:
        """Nothing to do."""

    def footprint(self, workload: Workload, demand: Demand, geometry: Geometry, params: Params) -> Footprint:
        """Take every row and column in full 8 bits."""
        del workload, geometry, params
        return whole_footprint(demand)

    def store(
        self, weights: Matrices, base: Matrices, geometry: Geometry, params: Params, owner: int
    ) -> dict[tuple[int, int], Stored]:
        """Store one term a matrix: codes on its own grid."""
        del base, geometry, params, owner
        return {key: store_whole(weight) for key, weight in weights.items()}


@hookimpl
def dse_compressors() -> Iterable[Compressor]:
    """Yield the one compressor."""
    yield Compressor(name="none", summary="every owner whole in 8 bits", build=Uncompressed)
