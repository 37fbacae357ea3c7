"""Values from plugins that are no numbers are refused with plugin, owner, layer and matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import dse
from dse import plugin
from dse.cost.cost import Built
from dse.errors import PluginContractError
from dse.records.model import Model
from dse.records.stored import Image, Scaling, Stored, Term
from dse.score.check_values import check_changes, check_finite, check_model
from dse.score.stored_terms import Assembly
from dse.testing import tiny_workload
from tests.support.workloads import BoundContext, geometry

NAN, INF = float("nan"), float("inf")
LOAD = tiny_workload(2)
CONTEXT: Any = BoundContext(LOAD, spread=0.02)
MATRIX = LOAD.encoder.matrices[0].name
NONE: Any = None


class Separate(plugin.Base):
    """A generator of separate models, whose first matrix can be spoilt."""

    def __init__(self, spoil: Callable[[Model], Model] = lambda model: model) -> None:
        self.spoil = spoil

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        del params
        owner = 1 + np.arange(len(workload.task_names))[None, :, None]
        return dse.Plan(np.repeat(owner, workload.encoder.layers, axis=2))

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Model:
        del params
        return self.spoil(Model(context.task_weights(owner - 1) if owner else context.base_weights()))


class Whole(plugin.Base):
    """A compressor that stores whole matrices, whose first term can be spoilt."""

    geometry_fields = ()

    def __init__(self, spoil: Callable[[Stored], Stored] = lambda stored: stored) -> None:
        self.spoil = spoil

    def footprint(self, workload: Any, demand: Any, geometry: Any, params: Any) -> Any:
        del workload, geometry, params
        return plugin.whole_footprint(demand)

    def store(self, weights: Any, base: Any, geometry: Any, params: Any, owner: int) -> dict[Any, Stored]:
        del base, geometry, params, owner
        stored = {key: plugin.store_whole(weight) for key, weight in weights.items()}
        return stored | {(0, 0): self.spoil(stored[0, 0])} if (0, 0) in stored else stored


def rebuild(generator: Any = None, compressor: Any = None) -> Any:
    """Rebuild the weights of the first task."""
    separate: Any = generator or Separate()
    whole: Any = compressor or Whole()
    built = Built(("g", "c", "s", "h"), separate, whole, NONE, NONE)
    params = {"generator": dse.Params(1), "compressor": dse.Params(1)}
    return Assembly(CONTEXT, built, params, geometry()).of_task(0)  # type: ignore[arg-type]


def term(**changes: Any) -> Callable[[Stored], Stored]:
    """Return a change of the first stored term; a callable gets the term."""

    def spoil(stored: Stored) -> Stored:
        first = stored.terms[0]
        values = {name: value(first) if callable(value) else value for name, value in changes.items()}
        return replace(stored, terms=(replace(first, **values),))

    return spoil


def first_set(values: torch.Tensor, to: float) -> torch.Tensor:
    """Return a float copy of a tensor with another first value."""
    values = values.float().clone()
    values.view(-1)[0] = to
    return values


@pytest.mark.parametrize(
    ("spoil", "what", "found"),
    [
        (term(scale=lambda one: one.scale * NAN), "the scale of a stored term has values that are not finite", "nan"),
        (term(scale=lambda one: one.scale * INF), "the scale of a stored term has values that are not finite", "inf"),
        (term(scale=0.5), "the scale of a stored term is not a tensor", "float"),
        (term(codes=lambda one: one.codes * 0.5), "stored codes are not whole numbers", "."),
        (term(codes=lambda one: first_set(one.codes, NAN)), "stored codes has values that are not finite", "(0, 0)"),
        (term(codes=lambda one: one.codes.numpy()), "stored codes is not a tensor", "ndarray"),
        (term(codes=lambda one: one.codes * 1j), "stored codes is complex", "complex"),
        (term(offset=torch.tensor(-INF)), "the offset of a stored term has values that are not finite", "-inf"),
        (lambda one: replace(one, bias=torch.full((LOAD.encoder.matrices[0].columns,), NAN)), "a stored bias", "nan"),
        (lambda one: replace(one, bias=[1.0]), "a stored bias is not a tensor", "list"),
    ],
)
def test_a_stored_term_that_is_no_number_is_refused_with_its_place(
    spoil: Callable[[Stored], Stored], what: str, found: str
) -> None:
    with pytest.raises(PluginContractError) as error:
        rebuild(compressor=Whole(spoil))
    assert what in error.value.what
    assert error.value.where == f"compressor 'c', owner 1, layer 0, {MATRIX}"
    assert found in str(error.value.found)


def test_whole_codes_may_be_floats() -> None:
    exact, floats = rebuild(), rebuild(compressor=Whole(term(codes=lambda one: one.codes.float())))
    assert torch.equal(exact.weights[0, 0], floats.weights[0, 0])


def test_a_finite_scale_that_overflows_is_refused() -> None:
    with pytest.raises(PluginContractError, match="rebuilt from stored terms has values that are not finite") as error:
        rebuild(compressor=Whole(term(scale=torch.tensor(3e38))))
    assert f"compressor 'c', task '{LOAD.task_names[0]}', layer 0, {MATRIX}" == error.value.where


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_weights_of_a_generator_that_are_no_numbers_are_refused(bad: float) -> None:
    def spoil(model: Model) -> Model:
        return Model(dict(model.matrices) | {(0, 0): first_set(model.matrices[0, 0], bad)})

    with pytest.raises(PluginContractError, match="a weight of a model has values that are not finite") as error:
        rebuild(Separate(spoil))
    assert error.value.where == f"generator 'g', owner 1, layer 0, {MATRIX}"
    assert "1 of 1024 values" in str(error.value.found)


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (Model({}, {2: {"norm": torch.tensor([NAN])}}), "layer 2, norm"),
        (Model({}, {}, {1: {"classifier.weight": torch.tensor([INF])}}), "head of task 1, classifier.weight"),
        (Model({}, shifts={(1, 0): torch.tensor([NAN])}), f"layer 1, shift of {MATRIX}"),
        (
            Model({}, exits={0: {3: plugin.ExitHead(torch.zeros(2, 4), torch.tensor([0.0, NAN]), 0.5)}}),
            "exit of task 0 after layer 3, bias",
        ),
    ],
)
def test_each_part_of_a_model_is_checked(model: Model, place: str) -> None:
    with pytest.raises(PluginContractError) as error:
        check_model(LOAD.encoder, model, "generator 'g', owner 1")
    assert error.value.where == f"generator 'g', owner 1, {place}"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {"scaling": Scaling(torch.tensor([[NAN]]), 32, torch.ones(1, 1, dtype=torch.bool), 8)},
            "a factor of the base's partial sums",
        ),
        (
            {"image": Image(torch.tensor([[0.5]]), torch.ones(()), torch.ones(1, 1, dtype=torch.bool))},
            "codes written over the base are not whole",
        ),
        (
            {"image": Image(torch.ones(1, 1), torch.tensor(NAN), torch.ones(1, 1, dtype=torch.bool))},
            "the scale of codes written over the base",
        ),
    ],
)
def test_changes_of_the_base_are_checked(changes: dict[str, Any], what: str) -> None:
    stored = Stored((Term(torch.zeros(1, 1, dtype=torch.int8), torch.ones(()), 127),), on_base=True, **changes)
    with pytest.raises(PluginContractError, match=what):
        check_changes(stored, "somewhere")


def test_large_numbers_whose_sum_overflows_are_finite() -> None:
    check_finite(torch.full((4,), 3e38), "a weight", "somewhere")
