"""Samplers that are asked for many designs before they learn of any: a generation, or a part of a fixed sequence."""

from collections.abc import Mapping
from typing import Any

from dse.records.design import DesignPoint
from dse.samplers.encoding import Codec, Params
from dse.samplers.sequences import PART, open_sequence
from dse.samplers.suggester import Suggestion, Told


class GenerationSampler:
    """A sampler whose next designs do not depend on each other's results.

    Attributes:
        asked: number of designs that the sampler has proposed or was given; the seed of the next one follows from it.
        learns: whether the sampler learns more from designs than their objectives.
        learns_results: whether its next designs depend on results at all.
    """

    learns = learns_results = False

    def __init__(self) -> None:
        self.asked = 0

    @property
    def room(self) -> int:
        """Number of designs that may be asked before the sampler learns a result."""
        return PART

    def ask(self, params: Params | None = None) -> Suggestion | None:
        """Propose a design, or take the given parameters for it; None where the sequence has ended."""
        raise NotImplementedError

    def restore(self, params: Params | None, attributes: Mapping[str, Any], told: Told) -> None:
        """Add a result; parameters of None lie outside the space."""

    def restore_study_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Restore the notes on the study."""

    def learn(self, point: DesignPoint, row: Mapping[str, Any]) -> None:
        """Show a finished trial to a sampler that learns from it."""


class SequenceSampler(GenerationSampler):
    """Proposes designs of a sequence that does not depend on results: random, quasi-random, or every design once.

    Args:
        name: name of Optuna's class whose place the sequence takes.
        codec: translation of the space.
        seed: seed of the study.
        options: options of the sampler.
    """

    def __init__(self, name: str, codec: Codec, seed: int, options: Mapping[str, Any]) -> None:
        super().__init__()
        self._design = open_sequence(name, codec, seed, options)

    def ask(self, params: Params | None = None) -> Suggestion | None:
        """Return the next design of the sequence; a given design takes no place in it."""
        if params is None:
            params = self._design(self.asked)
            self.asked += 1
        return None if params is None else Suggestion(params, {}, {})
