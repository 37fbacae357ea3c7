"""Genetic samplers: Optuna's, without Optuna's study."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers.nsgaii._constraints_evaluation import _constrained_dominates
from optuna.study._multi_objective import _dominates
from optuna.trial import FrozenTrial

from dse.samplers.encoding import Codec, Params
from dse.samplers.factory import SamplerFactory
from dse.samplers.generations import GenerationSampler
from dse.samplers.population import Generations
from dse.samplers.seeds import derive
from dse.samplers.suggester import Suggestion, Told, finished_trial
from dse.space.domain import round_digits


class GeneticSampler(GenerationSampler):
    """Optuna's genetic samplers without Optuna's study, whose bookkeeping takes longer than a design's cost.

    Args:
        factory: factory of the sampler, which is made once and given a new seed for each design.
        codec: translation of the space.
        maximise: whether each objective is maximised.
    """

    learns_results = True

    def __init__(self, factory: SamplerFactory, codec: Codec, maximise: Sequence[bool]) -> None:
        super().__init__()
        self._seed, self._sampler = factory.seed, factory.build(factory.seed)
        self._index = Generations()
        self._index.serve(self._sampler)
        self._chances = self._sampler._child_generation_strategy  # noqa: SLF001  # it holds the options
        self._sampler._child_generation_strategy = self._cross  # noqa: SLF001  # the same draws as Optuna's, in a tenth of the time
        self._past = _Past(maximise)
        self._all = codec.distributions()
        self._joint = {name: item for name, item in self._all.items() if not item.single()}
        chosen = [name for name, item in self._joint.items() if isinstance(item, CategoricalDistribution)]
        self._kinds = chosen, [name for name in self._joint if name not in chosen]

    @property
    def room(self) -> int:
        """Places that are left in the generation."""
        return self._index.count_free(self._past, self._sampler)

    def ask(self, params: Params | None = None) -> Suggestion:
        """Breed a design, or give one its place in the generation."""
        past, sampler, seed = self._past, self._sampler, derive(self._seed, self.asked)
        self.asked += 1
        for source in (sampler._rng, sampler._random_sampler._rng):  # noqa: SLF001  # a sampler of its own would draw the same
            source.rng.seed(seed)
        trial = finished_trial(None, self._all, {}, Told(None, {}))
        past.open, before = {}, set(past.notes)
        child = sampler.sample_relative(past, trial, self._joint)
        if params is None:
            params = {
                name: child[name] if name in child else sampler.sample_independent(past, trial, name, item)
                for name, item in self._all.items()
            }
        params = {name: round_digits(value) if isinstance(value, float) else value for name, value in params.items()}
        return Suggestion(params, past.open, {name: past.notes[name] for name in past.notes if name not in before})

    def restore(self, params: Params | None, attributes: Mapping[str, Any], told: Told) -> None:
        """Add a design to the population, if it has a result."""
        trial = finished_trial(params, self._all, attributes, told)
        trial.number = trial._trial_id = len(self._past.trials)  # noqa: SLF001  # parents are noted by this id
        self._past.trials.append(trial)

    def restore_study_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Restore the parents of each generation."""
        self._past.notes.update(attributes)

    def _cross(self, past: "_Past", joint: Mapping[str, Any], parents: Sequence[FrozenTrial]) -> Params:
        """Return what a child inherits of two parents, or of one; a parameter that mutates is left out and drawn."""
        draw, chances = self._sampler._rng.rng, self._chances  # noqa: SLF001  # see `ask`
        if draw.rand() < chances._crossover_prob:  # noqa: SLF001  # an option
            pair = self._choose_pair(past, parents, draw)
            child = {
                name: pair[int(share >= chances._swapping_prob)].params[name]  # noqa: SLF001  # an option
                for names in self._kinds
                for name, share in zip(names, draw.rand(len(names)), strict=True)
            }
        else:
            one = parents[draw.choice(len(parents))]
            child = {name: one.params[name] for name in joint}
        asked = chances._mutation_prob  # noqa: SLF001  # an option
        mutates = 1.0 / max(1.0, len(child)) if asked is None else asked
        shares = draw.rand(len(child)).tolist()
        return {name: value for (name, value), share in zip(child.items(), shares, strict=True) if share >= mutates}

    def _choose_pair(self, past: "_Past", parents: Sequence[FrozenTrial], draw: Any) -> list[FrozenTrial]:
        """Return two parents, each the better one of two that are drawn."""
        beats = _constrained_dominates if any(trial.constraints for trial in parents) else _dominates
        pair: list[FrozenTrial] = []
        for _ in range(2):
            others = [trial for trial in parents if trial is not pair[0]] if pair else parents
            one, other = (others[draw.choice(len(others))] for _ in range(2))
            pair.append(one if beats(one, other, past.directions) else other)
        return pair


class _Past:
    """The parts of an Optuna study that a genetic sampler reads and writes."""

    def __init__(self, maximise: Sequence[bool]) -> None:
        directions = optuna.study.StudyDirection
        self.directions = [directions.MAXIMIZE if one else directions.MINIMIZE for one in maximise]
        self.trials: list[FrozenTrial] = []
        self.notes: dict[str, Any] = {}
        self.open: dict[str, Any] = {}
        self._storage, self._study_id = self, 0

    def get_trials(self, deepcopy: bool = False) -> list[FrozenTrial]:  # as Optuna
        """Return all designs."""
        del deepcopy
        return self.trials

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the notes on the study."""
        del study_id
        return self.notes

    def set_study_system_attr(self, study_id: int, name: str, value: Any) -> None:
        """Add a note on the study."""
        del study_id
        self.notes[name] = value

    def set_trial_system_attr(self, trial_id: int, name: str, value: Any) -> None:
        """Add a note on the design that is proposed."""
        del trial_id
        self.open[name] = value
