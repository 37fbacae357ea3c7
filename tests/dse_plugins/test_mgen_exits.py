"""Early exits: heads in closed form, how many inputs leave, and what the two routes make of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.generators.mgen import exits
from dse_plugins.generators.mgen.free import Free
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.trained import Trained
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import dse
from dse.testing import TinyContext, tiny_workload

LOAD = tiny_workload(2)
LAYERS = LOAD.encoder.layers


class Readable(TinyContext):
    """States that grow clearer from layer to layer, and logits that follow from them."""

    def observe(self, task: int, rows: int = 384, model: dse.Model | None = None) -> Iterator[dse.Observation]:
        draw = torch.Generator().manual_seed(task)
        layers = sorted({layer for layer, _ in (self.base_weights() if model is None else model.matrices)})
        for _ in range(3):
            signal = torch.randn((rows // 3, 1), generator=draw)
            inputs = {}
            for layer in layers:
                noise = torch.randn((rows // 3, 4, 32), generator=draw) * 2.0 ** (2 - layer)
                inputs[layer, 0] = noise + signal[:, None, :]
            classes = torch.cat([4 * signal, -4 * signal], dim=1)
            mask = torch.ones((rows // 3, 4), dtype=torch.bool)
            after = zip(layers, [*layers[1:], layers[-1]], strict=True)
            states = {layer: inputs[following, 0] for layer, following in after}
            yield dse.Observation(inputs, {}, mask, classes if task == 0 else signal, states)


CONTEXT = Readable(LOAD)


def test_heads_follow_the_last_logits_better_the_later_they_are_asked() -> None:
    found = dse.fit_exits(CONTEXT, 0, 600)

    assert found["layers"].tolist() == [0, 1, 2]  # after the last layer the model's own head answers
    assert found["weight"].shape == (3, 2, 64)
    lost = []
    (batch, *_) = CONTEXT.observe(0, 600)
    for at in range(3):
        states = dse.ExitHead.states(batch.inputs[at + 1, 0], batch.mask).numpy()
        answer = states @ found["weight"][at].T + found["bias"][at]
        lost.append(float(np.mean((answer - batch.logits.numpy()) ** 2)))
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < 0.5


def test_a_regression_has_no_exits() -> None:
    found = dse.fit_exits(CONTEXT, 1, 60)
    parameters, reach = exits.plan_exits(found, range(LAYERS), np.array([0.5]), np.array([LAYERS]), LAYERS)

    assert found["layers"].size == 0
    assert not parameters.any()
    assert (reach == 1).all()
    assert exits.heads(found, range(LAYERS), 0.5, LAYERS) == {}


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 1.0), st.integers(0, 4))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_reach_is_the_share_of_rows_that_were_never_sure_enough(seed: int, threshold: float, asked: int) -> None:
    draw = np.random.default_rng(seed)
    alone = draw.uniform(0.3, 1.0, (2, 50))
    runs = (0, 2, 3)  # layer 1 does not run
    found = {
        "layers": np.array([0, 2]),
        "weight": np.zeros((2, 3, 8)),
        "bias": np.zeros((2, 3)),
        "sure": np.sort(np.maximum.accumulate(alone, axis=0), axis=1),
    }
    parameters, reach = exits.plan_exits(found, runs, np.array([threshold]), np.array([asked]), 4)
    here = np.ones(50, dtype=bool)
    for place, layer in enumerate(runs):
        assert reach[0, layer] == pytest.approx(here.mean())
        if place < 2 and place < asked and threshold < 1:
            assert parameters[0, layer] == 3 * 9
            here &= alone[place] < threshold
        else:
            assert parameters[0, layer] == 0


def free(confidence: float) -> tuple[Free, dse.Params]:
    plugin = Free(MGenOptions(route="free", exits=True, exit_rows=300, block=16))
    plugin.prepare(CONTEXT_FREE)
    ones = np.ones((1, 2))
    return plugin, dse.Params(1, {"trunk": np.array([0]), "heads": ones, "ffn": ones, "confidence": ones * confidence})


class Both(Readable):
    """Observations that also tell what heads and columns do."""

    def observe(self, task: int, rows: int = 384, model: dse.Model | None = None) -> Iterator[dse.Observation]:
        whole = TinyContext.observe(self, task, 300, model)
        for clear, plain in zip(Readable.observe(self, task, rows, model), whole, strict=False):
            if rows == 300:
                yield clear
            else:
                yield plain


CONTEXT_FREE = Both(LOAD)


def test_free_models_let_inputs_leave_and_charge_the_heads() -> None:
    plugin, given_ = free(0.9)
    plan: Any = plugin.plan(LOAD, given_)
    model: Any = plugin.weights(CONTEXT_FREE, given_, 1)

    assert plan.exits.reach[0, 0, -1] < plan.exits.reach[0, 0, 0] == 1
    assert (plan.exits.reach[0, 1] == 1).all()
    assert sorted(model.exits[0]) == np.flatnonzero(plan.exits.parameters[0, 0]).tolist() == [0, 1, 2]
    assert model.exits[0][0].threshold == 0.9
    never, given_ = free(1.0)
    assert not never.plan(LOAD, given_).exits.parameters.any()  # type: ignore[union-attr]  # there are exits
    assert never.weights(CONTEXT_FREE, given_, 1).exits == {0: {}}  # type: ignore[union-attr]  # a model


def test_inputs_leave_a_trunk_and_no_branch() -> None:
    plugin = Trained(MGenOptions(exits=True, exit_rows=300, depths=[3, 4], block=16))
    plugin.prepare(CONTEXT_FREE)
    given_ = dse.Params(
        2,
        {
            "layers": np.array([3, 4]),
            "own": np.array([[0, 0], [2, 0]]),
            "confidence": np.full((2, 2), 0.9),
            "heads": np.ones(2),
            "ffn": np.ones(2),
        },
    )
    plan: Any = plugin.plan(LOAD, given_)

    assert np.flatnonzero(plan.exits.parameters[0, 0]).tolist() == [0, 2]  # layers 0, 2 and 3 run
    assert np.flatnonzero(plan.exits.parameters[1, 0]).tolist() == [0, 1]
    assert plan.exits.reach[1, 0, 2] == plan.exits.reach[1, 0, 3] < 1
    one = dse.Params(1, {name: given_[name][:1] for name in given_})
    trunk: Any = plugin.weights(CONTEXT_FREE, one, dse.BASE)
    assert sorted(trunk.exits[0]) == [0, 2]
    two = dse.Params(1, {name: given_[name][1:] for name in given_})
    branch: Any = plugin.weights(CONTEXT_FREE, two, 1)
    assert sorted(branch.exits[0]) == [0, 1]


def test_exits_need_one_trunk() -> None:
    with pytest.raises(ValidationError, match="exits = true needs trunks = 1"):
        MGenOptions(exits=True, trunks=2)


class Faint(Readable):
    """One element of the states tells everything, in digits that 16-bit brain floats do not have."""

    def observe(self, task: int, rows: int = 384, model: dse.Model | None = None) -> Iterator[dse.Observation]:
        for seen in super().observe(task, rows, model):
            for states in seen.inputs.values():
                states[..., 0] = 1.003 + 1e-4 * seen.logits[:, None, 0]
            yield seen


def test_heads_do_not_lean_on_digits_that_are_rounded_away() -> None:
    context = Faint(LOAD)
    found = dse.fit_exits(context, 0, 600)
    (seen, *_) = context.observe(0, 600)
    states = dse.ExitHead.states(seen.inputs[3, 0], seen.mask)
    rounded = dse.ExitHead.states(seen.inputs[3, 0].bfloat16(), seen.mask)
    exact, coarse = (
        (given_.numpy() @ found["weight"][2].T + found["bias"][2]).argmax(axis=1) for given_ in (states, rounded)
    )
    assert np.mean(exact == coarse) > 0.97
    assert np.mean(coarse == seen.logits.numpy().argmax(axis=1)) > 0.9
