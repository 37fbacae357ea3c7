"""Index of trials by generation, kept up to date: Optuna's genetic samplers would look through all trials at each trial."""

from collections import defaultdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState


class Generations:
    """Trials of a study by generation; all samplers of the study share this index.

    `serve` replaces methods of `optuna.samplers.BaseGASampler` by faster ones with the same answers.
    """

    def __init__(self) -> None:
        self._looked_at = 0
        self._members: dict[int, list[FrozenTrial]] = defaultdict(list)
        self._by_id: dict[int, FrozenTrial] = {}

    def serve(self, sampler: Any) -> None:
        """Make a sampler ask this index for generations, populations and parents."""
        key = sampler._get_generation_key()  # noqa: SLF001  # key of a trial's generation in Optuna's storage
        prefix = sampler._get_parent_cache_key_prefix()  # noqa: SLF001  # prefix of the keys of a generation's parents

        def find_generation(study: optuna.Study, trial: FrozenTrial) -> int:
            recorded: int | None = trial.system_attrs.get(key)
            if recorded is not None:
                return recorded
            self._look(study, key)
            last = max(self._members, default=0)
            generation = last if len(self._members.get(last, ())) < sampler.population_size else last + 1
            study._storage.set_trial_system_attr(trial._trial_id, key, generation)  # noqa: SLF001  # as Optuna does
            return generation

        def list_population(study: optuna.Study, generation: int) -> list[FrozenTrial]:
            self._look(study, key)
            return list(self._members.get(generation, ()))

        def list_parents(study: optuna.Study, generation: int) -> list[FrozenTrial]:
            if generation == 0:
                return []
            self._look(study, key)
            storage, study_id = study._storage, study._study_id  # noqa: SLF001  # as Optuna does
            ids = storage.get_study_system_attrs(study_id).get(f"{prefix}{generation}")
            if ids is not None:
                return [self._by_id[trial_id] for trial_id in sorted(ids)]
            chosen: list[FrozenTrial] = sampler.select_parent(study, generation)
            storage.set_study_system_attr(study_id, f"{prefix}{generation}", [trial._trial_id for trial in chosen])  # noqa: SLF001  # as Optuna does
            return chosen

        sampler.get_trial_generation = find_generation
        sampler.get_population = list_population
        sampler.get_parent_population = list_parents

    def count_free(self, study: Any, sampler: Any) -> int:
        """Return the number of places in the generation that the next trial belongs to."""
        self._look(study, sampler._get_generation_key())  # noqa: SLF001  # key of a trial's generation in Optuna's storage
        size: int = sampler.population_size
        full = len(self._members.get(max(self._members, default=0), ()))
        return size - full if full < size else size

    def _look(self, study: optuna.Study, key: str) -> None:
        """Add the trials that have finished since the last look to the index."""
        trials = study.get_trials(deepcopy=False)
        while self._looked_at < len(trials) and trials[self._looked_at].state.is_finished():
            trial = trials[self._looked_at]
            self._looked_at += 1
            self._by_id[trial._trial_id] = trial  # noqa: SLF001  # parents are stored by this id
            generation = trial.system_attrs.get(key, -1)
            if trial.state == TrialState.COMPLETE and generation >= 0:
                self._members[generation].append(trial)
