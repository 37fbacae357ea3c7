"""Sampler of Optuna that asks the proposer for designs."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from dse.errors import DseError, SpaceError, raise_errors, unknown_name
from dse.samplers.graybox.proposer import GrayboxOptions, Proposer

MOST = 10**6
"""Largest value of an option: so many designs fit into memory."""


class GrayboxSampler(optuna.samplers.BaseSampler):
    """Asks a proposer, which has learned from every earlier trial.

    Args:
        proposer: proposer of the study.
        seed: seed of the study; it and the trial's number decide every draw.
        distributions: distribution of every searched element.
    """

    def __init__(self, proposer: Proposer, seed: int, distributions: Mapping[str, BaseDistribution]) -> None:
        self._proposer, self._seed = proposer, seed
        self._distributions = dict(distributions)
        self._alone = optuna.samplers.RandomSampler(seed)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the distributions of all elements, whatever trials came before."""
        del study, trial
        return dict(self._distributions)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return all elements of one design."""
        del study
        proposed = self._proposer.propose(trial.number, self._seed)
        return {name: proposed[name] for name in search_space}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw one element alone; Optuna asks for this only where nothing is searched."""
        return self._alone.sample_independent(study, trial, param_name, param_distribution)


def options_of(given: Mapping[str, Any], where: str) -> GrayboxOptions:
    """Check the options of a space file.

    Raises:
        UnknownNameError: an option does not exist.
        SpaceError: a value is not a whole number from 1 to `MOST`.
    """
    names = [item.name for item in fields(GrayboxOptions)]
    problems: list[DseError] = []
    for name, value in given.items():
        if name not in names:
            problems.append(unknown_name("option of sampler 'graybox'", name, names, where=f"{where}.{name}"))
        elif isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
            expected, reason = f"a whole number from 1 to {MOST}", "sampler 'graybox' refuses an option"
            problems.append(SpaceError(reason, where=f"{where}.{name}", expected=expected, found=value))
    raise_errors(problems)
    return GrayboxOptions(**given)
