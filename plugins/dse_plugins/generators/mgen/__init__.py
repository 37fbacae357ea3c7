"""Generator ``mgen``: models that serve several tasks with less computation.

After Kang et al., "MGen: A Framework for Energy-Efficient In-ReRAM Acceleration of Multi-Task BERT", IEEE TC 2023, of which
only the abstract is public: redundancies of multi-task BERT are analysed, and models generated that support several tasks
with fewer computations. Ours has two routes. Trained: some encoder layers are skipped by all; the rest is trained on all
tasks of a trunk together and follows the tasks' own models; the last layers of a task may be its own, trained on from there
with everything beneath them as it is. On an input that all tasks share, what they have in common runs once. Free of
training: of each task's own model, attention heads and FFN columns that do least are left out, in whole arrays, what is
kept makes up for them in the least squares, and the first layers may be the base's, or the mean of the tasks' own, which
all tasks share. On both, inputs may leave early where an answer is sure.
"""

from collections.abc import Iterable

from dse import plugin
from dse_plugins.generators.mgen.options import MGenOptions


def build(options: MGenOptions) -> plugin.ModelGenerator:
    """Build the route that is asked for."""
    if options.route == "free":
        from dse_plugins.generators.mgen.free import Free

        return Free(options)
    from dse_plugins.generators.mgen.trained import Trained

    return Trained(options)


@plugin.hookimpl
def dse_generators() -> Iterable[plugin.Generator]:
    """Yield the one generator."""
    yield plugin.Generator(
        name="mgen",
        summary="models of several tasks with less computation: shared trunks, or heads and FFN columns left out",
        build=build,
        options=MGenOptions,
        source="after Kang et al., MGen, IEEE TC 2023 (abstract)",
    )
