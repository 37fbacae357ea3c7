"""Compressor ``none``: every owner whole in 8 bits, each matrix on its own best grid; the baseline of the papers."""

from collections.abc import Iterable

from dse import plugin


class Uncompressed(plugin.Base):
    """Quantises to 8 bits and keeps every weight."""

    geometry_fields: tuple[str, ...] = ()

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce every row and column in full 8 bits."""
        del workload, geometry, params
        return plugin.whole_footprint(demand)

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[tuple[int, int], plugin.Stored]:
        """Store one term per matrix: codes on its own grid."""
        del base, geometry, params, owner
        return {key: plugin.store_whole(weight) for key, weight in weights.items()}


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(api=2, name="none", summary="weights of every owner, whole in 8 bits", build=Uncompressed)
