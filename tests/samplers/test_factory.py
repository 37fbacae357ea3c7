"""Samplers by name, and their options."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from dse.errors import SetupError, SpaceError, UnknownNameError
from dse.samplers.encoding import Codec
from dse.samplers.factory import SHORT, make_factory
from tests.support.fakes import fake_space, small_raw


def factory(raw: dict[str, Any] | None = None, **search: Any) -> Any:
    space = fake_space(raw, **search)
    return make_factory(space, Codec(space))


@pytest.mark.parametrize(("short", "name"), [item for item in SHORT.items() if item[0] not in ("cmaes", "gp")])
def test_short_names_and_class_names_are_both_known(short: str, name: str) -> None:
    for sampler in (short, name):
        made = factory(small_raw(sampler=sampler))
        assert made.name == type(made.of_trial(0)).__name__ == name


def test_the_gp_sampler_is_known() -> None:
    assert type(factory(small_raw(sampler="gp")).of_trial(0)).__name__ == "GPSampler"


def test_an_unknown_sampler_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        factory(sampler="nsga-2")
    assert "space: search.sampler" in str(caught.value)
    assert "did you mean 'nsga2'?" in str(caught.value)


def test_an_unknown_option_lists_the_options() -> None:
    with pytest.raises(UnknownNameError) as caught:
        factory(sampler="nsga2", sampler_options={"population": 20})
    assert "space: search.sampler_options.population" in str(caught.value)
    assert "mutation_prob" in str(caught.value)
    assert "did you mean 'population_size'?" in str(caught.value)
    assert "seed" not in str(caught.value.expected)


def test_a_refused_option_value_says_why() -> None:
    with pytest.raises(SpaceError, match="`population_size` must be greater than or equal to 2"):
        factory(sampler="nsga2", sampler_options={"population_size": 1})


def test_cma_es_takes_one_objective_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dse.samplers.factory.NEEDS", {})
    with pytest.raises(SpaceError, match="one objective only"):
        factory(sampler="cmaes")


def test_a_missing_package_is_named_before_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SetupError, match="needs cmaes, which is not installed") as caught:
        factory(sampler="cmaes", objectives=["area"])
    assert caught.value.fix == "pip install 'dse-reram[samplers]'"


@pytest.mark.parametrize("sampler", ["grid", "brute-force"])
def test_exhaustive_samplers_refuse_real_numbers(sampler: str) -> None:
    with pytest.raises(SpaceError, match="needs a finite space") as caught:
        factory(sampler=sampler)
    assert "compressor.two-stage.rate" in str(caught.value)


def test_a_grid_that_is_too_large_is_refused() -> None:
    raw = small_raw(sampler="grid")
    raw["compressor"] = {"plugins": ["two-stage"], "two-stage": {"parameters": {"rate": 0.01}}}
    with pytest.raises(SpaceError, match="the grid is too large"):
        factory(raw)


def test_each_trial_has_a_sampler_of_its_own_and_sequences_keep_one() -> None:
    made = factory(sampler="nsga2")
    assert made.of_trial(0) is not made.of_trial(1)
    sequence = factory(small_raw(sampler="grid"))
    assert sequence.of_trial(0) is sequence.of_trial(1)
