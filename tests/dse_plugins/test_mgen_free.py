"""Heads and feed-forward columns left out without training: which, and what makes up for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.generators.mgen.free import Free
from dse_plugins.generators.mgen.importance import measure_units, ranks
from dse_plugins.generators.mgen.options import MGenOptions
from dse_plugins.generators.mgen.recovery import moments, recover
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.testing import TinyContext, tiny_workload
from tests.support.workloads import geometry

LOAD = tiny_workload(2)
CONTEXT = TinyContext(LOAD)
OPTIONS = MGenOptions(route="free", block=16)


def params(heads: float, ffn: float) -> dse.Params:
    return dse.Params(1, {"trunk": np.array([0]), "heads": np.full((1, 2), heads), "ffn": np.full((1, 2), ffn)})


def made() -> Free:
    plugin = Free(OPTIONS)
    plugin.prepare(CONTEXT)
    return plugin


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 30), st.integers(1, 9))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_units_go_in_blocks_those_that_do_least_first(seed: int, layers: int, units: int, block: int) -> None:
    effects = np.random.default_rng(seed).random((layers, units))
    found = ranks(effects, block)
    blocks = -(-units // block)

    assert set(found.ravel()) == set(range(layers * blocks))
    for layer in range(layers):
        assert (found[layer].min() < layers) or blocks == 0  # one block of each layer comes before the rest
        best = np.argsort(-effects[layer], kind="stable")
        for start in range(0, units, block):
            assert len(set(found[layer, best[start : start + block]])) == 1
    worth = [effects[found == place].sum() for place in range(layers, layers * blocks)]
    assert worth == sorted(worth, reverse=True)


def test_everything_is_kept_by_default_and_nothing_is_shifted() -> None:
    plugin = made()
    plan = plugin.plan(LOAD, params(1.0, 1.0))
    model: Any = plugin.weights(CONTEXT, params(1.0, 1.0), 1)

    assert plan.heads is not None
    assert plan.ffn is not None
    assert plan.heads.all()
    assert plan.ffn.all()
    assert model.shifts == {}
    assert all(torch.equal(value, CONTEXT.task_weights(0)[key]) for key, value in model.matrices.items())


def test_arrays_and_conversions_really_vanish() -> None:
    plugin, arrays = made(), geometry(rows=16, columns=16)

    def counted(heads: float, ffn: float) -> dse.Counts:
        wanted = demand(LOAD, plugin.plan(LOAD, params(heads, ffn)), generator="mgen")
        return count(LOAD, wanted, dse.whole_footprint(wanted), arrays)

    whole, half = counted(1.0, 1.0), counted(0.5, 0.5)

    assert half.arrays.sum() == whole.arrays.sum() / 2
    assert half.conversions.sum() < whole.conversions.sum() * 0.6


def test_the_effect_is_that_of_leaving_a_head_out_and_giving_its_mean_back() -> None:
    table = measure_units(CONTEXT, 0, 384)
    key, size = (1, 3), LOAD.encoder.head_size
    weight = CONTEXT.task_weights(0)[key]
    seen = list(CONTEXT.observe(0, 384))
    tokens = sum(float(one.mask.sum()) for one in seen)
    mean = sum((one.inputs[key] * one.mask[..., None]).sum(dim=(0, 1)) for one in seen) / tokens
    only = torch.zeros(32)
    only[size : 2 * size] = 1
    total = 0.0
    for one in seen:
        moved = ((one.inputs[key] - mean) * only) @ weight.T
        total += float((moved * one.gradients[key] * one.mask[..., None]).sum(dim=(1, 2)).square().sum())
    rows = sum(len(one.mask) for one in seen)

    assert table["heads"].shape == (LOAD.encoder.layers, LOAD.encoder.heads)
    assert table["heads"][1, 1] == pytest.approx(total / rows, rel=1e-4)
    assert table["ffn"].shape == (LOAD.encoder.layers, LOAD.encoder.ffn)


def test_what_is_kept_makes_up_for_what_is_left_out() -> None:
    plugin, chosen = made(), params(0.5, 0.5)
    plan, model = plugin.plan(LOAD, chosen), plugin.weights(CONTEXT, chosen, 2)
    assert isinstance(model, dse.Model)
    assert plan.heads is not None
    assert plan.ffn is not None
    kept = {"heads": plan.heads[0, 1], "ffn": plan.ffn[0, 1]}
    layers = range(LOAD.encoder.layers)
    found = lambda: moments(CONTEXT, (1,), OPTIONS.recovery_rows)  # noqa: E731  # as short as its use
    matrices, shifts = recover(LOAD.encoder, CONTEXT.task_weights(1), layers, found, kept)

    assert matrices
    for key, value in CONTEXT.task_weights(1).items():
        torch.testing.assert_close(model.matrices[key], matrices.get(key, value))
    assert set(model.shifts) == set(shifts)


def test_shared_first_layers_may_be_the_mean_of_the_tasks_own() -> None:
    class Recording(TinyContext):
        asked: list[dse.Training] = []  # noqa: RUF012  # one test

        def trained(self, training: dse.Training) -> dse.Model:
            self.asked.append(training)
            return super().trained(training)

    context = Recording(LOAD)
    plain, merged = (Free(MGenOptions(route="free", block=16, merged=merged)) for merged in (None, True))
    assert not plain.joint
    assert isinstance(plain.weights(context, params(1, 1), dse.BASE), dict)
    assert merged.joint
    model = merged.weights(context, params(1, 1), dse.BASE)

    assert isinstance(model, dse.Model)
    assert context.asked == [dse.Training((0, 1), merged=True, passes=0)]
    assert set(model.matrices) == set(CONTEXT.base_weights())


def test_first_layers_are_the_bases_and_whole() -> None:
    plugin = made()
    given_ = dse.Params(1, {"trunk": np.array([2]), "heads": np.full((1, 2), 0.3), "ffn": np.full((1, 2), 0.3)})
    plan: Any = plugin.plan(LOAD, given_)

    np.testing.assert_array_equal(plan.owner[0], [[0, 0, 1, 1], [0, 0, 2, 2]])
    assert plan.heads[0, :, :2].all()
    assert plan.ffn[0, :, :2].all()
    assert not plan.ffn[0, :, 2:].all()


@pytest.mark.parametrize("layers", [1, 2, 6])
def test_a_task_keeps_a_layer_of_its_own_for_its_exits_to_come_with(layers: int) -> None:
    (trunk, *_) = Free(OPTIONS).parameters(tiny_workload(2, layers=layers))

    assert trunk.limits == (0, layers - 1)  # type: ignore[union-attr]  # a whole number
    assert trunk.high <= layers - 1  # type: ignore[union-attr]  # as above
