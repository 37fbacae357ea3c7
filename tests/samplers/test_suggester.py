"""What Optuna knows after a study is restored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dse.errors import StudyError
from dse.samplers.encoding import Codec
from dse.samplers.suggester import Suggester, Told
from tests.support.fakes import fake_space


def suggester(sampler: str = "nsga2", **options: Any) -> Suggester:
    space = fake_space(sampler=sampler, sampler_options=options)
    return Suggester(space, Codec(space))


@pytest.mark.parametrize("sampler", ["nsga2", "tpe", "qmc", "random"])
def test_a_restored_study_knows_what_the_first_one_knew(sampler: str) -> None:
    first, second = suggester(sampler), suggester(sampler)
    for number in range(9):
        suggestion = first.ask(number)
        values = None if number == 4 else [float(number), 10.0 - number, 0.5]
        told = Told(values, {"hardware": number - 6.0, "latency_us.max": 0.25} if values else {})
        first.tell(told)
        # as the log keeps them
        params, attributes, kept = json.loads(
            json.dumps([suggestion.params, suggestion.attributes, suggestion.study_attributes])
        )
        second.restore_study_attributes(kept)
        second.restore(params, attributes, told)

    for a, b in zip(first._study.trials, second._study.trials, strict=True):
        assert (a.number, a.state, a.values, a.params, a.constraints) == (
            b.number,
            b.state,
            b.values,
            b.params,
            b.constraints,
        )
        assert a.distributions == b.distributions
        assert a.system_attrs == b.system_attrs
        assert a.state.name == ("FAIL" if a.number == 4 else "COMPLETE")
    assert first.ask(9).params == second.ask(9).params


def test_given_parameters_are_taken_and_the_sampler_still_counts_the_trial() -> None:
    asked = suggester()
    params = asked.ask(0).params
    asked.tell(Told([1.0, 1.0, 1.0], {}))
    again = asked.ask(1, params)

    assert again.params == params
    assert again.attributes["NSGAIISampler:generation"] == 0


def test_a_sampler_that_breaks_is_named() -> None:
    asked = suggester("random")
    asked._distributions["generator"] = None
    with pytest.raises(StudyError, match="sampler RandomSampler cannot propose trial 0"):
        asked.ask(0)
