"""The sampler of a study on costs alone, if it works in generations."""

from dse.samplers.encoding import Codec
from dse.samplers.factory import EXHAUSTIVE, GENETIC, make_factory
from dse.samplers.generations import GenerationSampler, SequenceSampler
from dse.space.searchspace import SearchSpace


def make_generations(space: SearchSpace, codec: Codec) -> GenerationSampler | None:
    """Return the study's sampler if it works in generations; None for one that learns from each design before the next.

    Raises:
        DseError: the sampler's name or options do not fit.
    """
    factory = make_factory(space, codec)
    if factory.name in GENETIC:
        from dse.samplers.genetic import GeneticSampler  # it loads optuna

        return GeneticSampler(factory, codec, [item.maximise for item in space.file.objectives])
    if factory.name in ("RandomSampler", "QMCSampler", *EXHAUSTIVE):
        return SequenceSampler(factory.name, codec, space.file.search.seed, space.file.search.sampler_options)
    return None
