"""Compressor ``xma2``: the base's arrays are written where a task needs that most, and scaled by columns elsewhere.

Zhang et al., "XMA2: A crossbar-aware multi-task adaption framework via 2-tier masks", Frontiers in Electronics 2022, of
which we know the abstract and the opening of the introduction. Tier 1 picks the processing elements (PEs) most critical
for a task, which are reprogrammed when the task is served. Tier 2 scales the columns of all other PEs, whose weights
stay. A PE is one array-sized block with all its bit slices and signs. Beyond the paper, a share of the picked PEs may
stay resident beside the base, as a delta in few bits, so that nothing is written for them. The paper adapts
convolutional networks; here the base encoder is adapted to each task.

There are two routes. The route without training orders PEs by the effect of their delta on the logits, and fits factors
by least squares to the outputs of the task's own matrices. The trained route learns from the base on the task's rows:
first a mask over PEs, by straight-through gradients under its budget, then the weights of the picked PEs and the other
PEs' factors.
"""

from collections.abc import Iterable

from dse import plugin
from dse_plugins.compressors.xma2.options import Xma2Options


def build(options: Xma2Options) -> plugin.WeightCompressor:
    """Build the route that the options choose."""
    if options.route == "free":
        from dse_plugins.compressors.xma2.free import Free

        return Free(options)
    from dse_plugins.compressors.xma2.trained import Trained

    return Trained(options)


@plugin.hookimpl
def dse_compressors() -> Iterable[plugin.Compressor]:
    """Yield the one compressor."""
    yield plugin.Compressor(
        api=2,
        name="xma2",
        summary="PEs of the base that are reprogrammed for a task, and factors of the other PEs' columns",
        build=build,
        options=Xma2Options,
        source="Zhang et al., XMA2, Frontiers in Electronics 2022",
    )
