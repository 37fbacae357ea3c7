"""Generator ``mgen``: models that serve several tasks with less computation.

After Kang et al., "MGen: A Framework for Energy-Efficient In-ReRAM Acceleration of Multi-Task BERT", IEEE TC 2023, of
which only the abstract is public: it analyses redundancies of multi-task BERT and generates models that support several
tasks with fewer computations. This generator has two routes. On the trained route all tasks skip some encoder layers;
the other layers, the trunk, are trained on all its tasks together and follow the tasks' own models. The last layers of
a task may be its own: they are trained further while the layers before them stay fixed. On an input that all tasks
share, common layers run once. The free route trains nothing. It leaves out the attention heads and FFN columns of each
task's own model with the smallest effect, in whole arrays, and adjusts the kept units by least squares. All tasks
may share the first layers, which are then the base's or the mean of the tasks' own. On both routes inputs may leave
early if an answer is sure.
"""

from collections.abc import Iterable

from dse import plugin
from dse_plugins.generators.mgen.options import MGenOptions


def build(options: MGenOptions) -> plugin.ModelGenerator:
    """Build the route that the options choose."""
    if options.route == "free":
        from dse_plugins.generators.mgen.free import Free

        return Free(options)
    from dse_plugins.generators.mgen.trained import Trained

    return Trained(options)


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(
        api=2,
        name="mgen",
        summary="models of several tasks with less computation: shared trunks, or heads and FFN columns left out",
        build=build,
        options=MGenOptions,
        source="after Kang et al., MGen, IEEE TC 2023 (abstract)",
    )
