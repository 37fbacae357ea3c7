"""What a task computes with: whose matrices, biases, norms and head it takes, and what differences lie on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.compressors.deltas.dare import Dare
from dse_plugins.compressors.none import Uncompressed

import dse
from dse.cost.cost import Built
from dse.errors import PluginContractError
from dse.records.plugin import Kind
from dse.score.stored_terms import Assembly
from dse.testing import tiny_workload
from tests.support.workloads import BoundContext, geometry

LOAD = tiny_workload(2)
CONTEXT: Any = BoundContext(LOAD, spread=0.02)
SHIFT = torch.randn(32, 32, generator=torch.Generator().manual_seed(5)) * 0.3
OWNER = np.array([[[0, 0, 1, 1], [0, 0, 0, -1]]])


class Trained:
    """A trunk that is not the base, with biases, norms and heads; the first task has a branch."""

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        del workload, params
        return dse.Plan(OWNER)

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Weights | dse.Model:
        del params
        if owner != dse.BASE:
            return dse.Model(
                context.task_weights(0), {3: {"norm": torch.full((1,), 3.0)}}, {0: {"head": torch.ones(1)}}
            )
        moved = {key: weight + SHIFT for key, weight in context.base_weights().items() if weight.shape == SHIFT.shape}
        moved = dict(context.base_weights()) | moved
        vectors = {layer: {"norm": torch.full((1,), float(layer))} for layer in range(4)}
        return dse.Model(moved, vectors, {0: {"head": torch.zeros(1)}, 1: {"head": torch.full((1,), 2.0)}})


NONE: Any = None


class Empty(Trained):
    """A generator that forgets to return its weights."""

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> Any:
        del context, params, owner


def assembled(compressor: Any, *, generator: Any = None, **values: Any) -> Assembly:
    compressor.prepare(CONTEXT)
    given: dict[Kind, dse.Params] = {"generator": dse.Params(1)}
    given["compressor"] = dse.Params(1, {name: np.asarray(value)[None] for name, value in values.items()})
    used: Any = generator or Trained()
    built = Built(("trained", "c", "s", "h"), used, compressor, NONE, NONE)
    return Assembly(CONTEXT, built, given, geometry())


def test_layers_come_from_their_owners_with_biases_norms_and_the_last_owners_head() -> None:
    made = assembled(Uncompressed(dse.Options()))
    branch, trunk = made.of_task(0), made.of_task(1)

    assert {key[0] for key in branch.weights} == {0, 1, 2, 3}
    assert {key[0] for key in trunk.weights} == {0, 1, 2}  # the fourth layer is skipped
    assert {layer: float(named["norm"]) for layer, named in branch.vectors.items()} == {0: 0.0, 1: 1.0, 3: 3.0}
    assert {layer: float(named["norm"]) for layer, named in trunk.vectors.items()} == {0: 0.0, 1: 1.0, 2: 2.0}
    assert float(branch.head["head"]) == 1.0
    assert float(trunk.head["head"]) == 2.0
    torch.testing.assert_close(branch.weights[0, 0], CONTEXT.base_weights()[0, 0] + SHIFT, atol=0.05, rtol=0)
    torch.testing.assert_close(branch.weights[2, 0], CONTEXT.task_weights(0)[2, 0], atol=0.05, rtol=0)


def test_differences_lie_on_the_generators_base() -> None:
    branch = assembled(Dare(dse.Options()), drop=[0.0] * 2, bits=[8] * 2).of_task(0)

    torch.testing.assert_close(branch.weights[2, 0], CONTEXT.task_weights(0)[2, 0], atol=0.05, rtol=0)
    torch.testing.assert_close(branch.weights[0, 0], CONTEXT.base_weights()[0, 0] + SHIFT, atol=0.05, rtol=0)


def test_weights_that_are_none_name_the_generator() -> None:
    made = assembled(Uncompressed(dse.Options()), generator=Empty())
    with pytest.raises(
        PluginContractError, match=r"generator 'trained': weights\(\) returned neither[\s\S]*found: NoneType"
    ):
        made.model(dse.BASE)


class Eager(Uncompressed):
    """A compressor that stores a matrix that no model has."""

    def store(self, *given: Any) -> dict[tuple[int, int], dse.Stored]:
        terms = super().store(*given)
        return {**terms, (99, 0): next(iter(terms.values()))}


def test_a_matrix_that_no_model_has_is_refused() -> None:
    with pytest.raises(
        PluginContractError, match=r"that the model does not have[\s\S]*compressor 'c', owner 1[\s\S]*found: \(99, 0\)"
    ):
        assembled(Eager(dse.Options())).of_task(0)
