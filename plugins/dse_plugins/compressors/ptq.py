"""Compressor ``ptq``: every owner whole in few bits, each output or each matrix on its own best grid, without training."""

from collections.abc import Iterable

from dse import plugin


class PostTraining(plugin.Base):
    """Rounds every weight to a grid of few bits, chosen for the smallest squared error."""

    geometry_fields: tuple[str, ...] = ()

    def parameters(self, workload: plugin.Workload) -> tuple[plugin.Parameter, ...]:
        """Declare the bits of all weights, and whether each output has its own grid."""
        del workload
        return (
            plugin.Int(
                name="bits", low=1, high=7, default=4, unit="bit",
                summary="magnitude bits of every weight; the sign comes on top",
            ),
            plugin.Choice(
                name="grid", choices=("output", "matrix"), default="output",
                summary="whether each output of a matrix has its own grid, or each matrix",
            ),
        )  # fmt: skip

    def footprint(
        self, workload: plugin.Workload, demand: plugin.Demand, geometry: plugin.Geometry, params: plugin.Params
    ) -> plugin.Footprint:
        """Announce every row and column in the design's bits, and a scale for each grid."""
        del workload, geometry
        return plugin.whole_footprint(demand, 2.0 ** params["bits"] - 1, per_output=params["grid"] == "output")

    def store(
        self,
        weights: plugin.Matrices,
        base: plugin.Matrices,
        geometry: plugin.Geometry,
        params: plugin.Params,
        owner: int,
    ) -> dict[tuple[int, int], plugin.Stored]:
        """Store one term per matrix: codes on its grids."""
        del base, geometry, owner
        bits, per_output = int(params["bits"][0]), bool(params["grid"][0] == "output")
        return {key: plugin.store_in_bits(weight, bits, per_output=per_output) for key, weight in weights.items()}


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        name="ptq",
        summary="weights of every owner, whole in 1 to 7 bits and a sign, on the best grid of each output or matrix",
        build=PostTraining,
    )
