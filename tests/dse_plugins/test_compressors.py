"""`none` and `two-stage`: what they store is what they announced, and both stages do what the paper says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dse_plugins.compressors.none import Uncompressed
from dse_plugins.compressors.two_stage import TwoStage, TwoStageOptions
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.score.check_stored import check_stored
from dse.score.matrices import effective
from dse.testing import TinyContext
from tests.support.workloads import geometry, minilm, workload

LOAD = workload(2)


class Weights(TinyContext):
    """Context over random weights: a base, and tasks near it."""

    def __init__(self, load: dse.Workload, spread: float = 0.01) -> None:
        super().__init__(load, spread=spread)
        self._base, *self._tasks = self._all

    def base_weights(self) -> dse.Matrices:
        return dse.Matrices(self._base)

    def task_weights(self, task: int) -> dse.Matrices:
        return dse.Matrices(self._tasks[task])


CONTEXT = Weights(LOAD)


def params(cosine: float = 0.95, max_bits: int = 8, selective: float = 0.0, from_layer: int = 0) -> dse.Params:
    values = {"cosine": cosine, "max_bits": max_bits, "selective": selective, "from_layer": from_layer}
    return dse.Params(1, {name: np.full((1, 2), value) for name, value in values.items()})


def prepared(*, per_channel: bool = False) -> TwoStage:
    plugin = TwoStage(TwoStageOptions(per_channel=per_channel))
    plugin.prepare(CONTEXT)
    return plugin


@given(
    st.floats(0.0, 1.0),
    st.integers(1, 8),
    st.floats(0.0, 1.0),
    st.sampled_from([1, 2, 4]),
    st.integers(0, 2),
    st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_two_stage_stores_what_it_announced(
    cosine: float, max_bits: int, selective: float, cell: int, encoding: int, per_channel: bool
) -> None:
    plugin, given_params = prepared(per_channel=per_channel), params(cosine, max_bits, selective)
    placed = geometry(cell_bits=cell, encoding=encoding)
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    footprint = plugin.footprint(LOAD, wanted, placed, given_params)
    base = CONTEXT.base_weights()
    for owner in range(3):
        weights = base if owner == dse.BASE else CONTEXT.task_weights(owner - 1)
        stored = plugin.store(weights, base, placed, given_params, owner)
        shapes = {key: (weight.shape[0], weight.shape[1]) for key, weight in weights.items()}
        check_stored(LOAD.encoder, stored, shapes, footprint, owner, who="two-stage")
    assert not plugin.store(dse.Matrices({}), base, placed, given_params, 1)


def test_stage_one_takes_the_fewest_bits_that_keep_the_cosine() -> None:
    plugin, base, tuned = prepared(), CONTEXT.base_weights(), CONTEXT.task_weights(0)
    stored = plugin.store(tuned, base, geometry(), params(cosine=0.95), 1)
    own_base = plugin.store(base, base, geometry(), params(), 0)
    for key, weight in tuned.items():
        scale = own_base[key].terms[0].scale
        full = dse.quantise(weight, scale) - dse.quantise(base[key], scale)
        bits = (stored[key].terms[0].magnitude + 1).bit_length() - 1

        def cosine(limit: int, full: torch.Tensor = full) -> float:
            return float(torch.nn.functional.cosine_similarity(full.clamp(-limit, limit).ravel(), full.ravel(), dim=0))

        assert cosine(2**bits - 1) >= 0.95 - 1e-6
        assert bits == 1 or cosine(2 ** (bits - 1) - 1) < 0.95 + 1e-6


def test_stage_two_drops_the_weakest_channels_and_they_fall_back_to_the_base() -> None:
    plugin, base, tuned = prepared(), CONTEXT.base_weights(), CONTEXT.task_weights(0)
    stored = plugin.store(tuned, base, geometry(), params(selective=0.25), 1)
    whole = plugin.store(tuned, base, geometry(), params(), 1)
    own_base = plugin.store(base, base, geometry(), params(), 0)
    for key, weight in tuned.items():
        energy = whole[key].terms[0].codes.float().square().sum(dim=1)
        kept = stored[key].terms[0].columns
        assert kept is not None
        dropped = sorted(set(range(len(weight))) - set(kept.tolist()))
        below = effective(own_base[key], None, (weight.shape[0], weight.shape[1]))
        rebuilt = effective(stored[key], below, (weight.shape[0], weight.shape[1]))

        assert len(dropped) == len(weight) // 4
        assert energy[dropped].max() <= energy[kept].min()
        torch.testing.assert_close(rebuilt[dropped], below[dropped])
        assert not torch.equal(rebuilt[kept], below[kept])


def test_base_and_full_difference_give_back_the_fine_tuned_codes_exactly() -> None:
    plugin, base = prepared(), CONTEXT.base_weights()
    own_base = plugin.store(base, base, geometry(), params(), 0)
    for task in range(2):
        tuned = CONTEXT.task_weights(task)
        stored = plugin.store(tuned, base, geometry(), params(cosine=1.0), task + 1)
        for key, weight in tuned.items():
            term = own_base[key].terms[0]
            assert torch.equal(
                term.codes + stored[key].terms[0].codes, dse.quantise(weight, term.scale).to(torch.int16)
            )


def test_a_task_that_is_the_base_stores_nothing() -> None:
    context = Weights(LOAD, spread=0.0)
    plugin = TwoStage(TwoStageOptions())
    plugin.prepare(context)
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    footprint = plugin.footprint(LOAD, wanted, geometry(), params())
    stored = plugin.store(context.task_weights(0), context.base_weights(), geometry(), params(), 1)

    assert not footprint.pieces[0].columns[0, 1:].any()
    assert footprint.pieces[0].columns[0, 0].all()
    assert all(matrix == dse.Stored((), on_base=True) for matrix in stored.values())


def test_an_unprepared_two_stage_announces_an_upper_bound() -> None:
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    free, known = TwoStage(TwoStageOptions()), prepared()
    bound = free.footprint(LOAD, wanted, geometry(), params(max_bits=4)).pieces[0].magnitude
    exact = known.footprint(LOAD, wanted, geometry(), params(max_bits=4)).pieces[0].magnitude

    assert (bound >= exact).all()
    assert bound[0, 1].max() == 15


@pytest.mark.parametrize("tasks", [1, 2, 4, 8])
def test_ternary_differences_follow_the_published_law(tasks: int) -> None:
    """A(n) / A_base(n) = 1/n + r with r = 1/8 at one bit a cell (Kang et al., ICCAD 2021)."""
    load = minilm(tasks)
    plugin = TwoStage(TwoStageOptions())
    values = {"cosine": 0.5, "max_bits": 1, "selective": 0.0, "from_layer": 0}
    ternary = dse.Params(1, {name: np.full((1, tasks), value) for name, value in values.items()})
    wanted = demand(load, dse.separate_models(load, 1), generator="test")
    ours = count(load, wanted, plugin.footprint(load, wanted, geometry(), ternary), geometry()).arrays.sum()
    whole = count(load, wanted, dse.whole_footprint(wanted), geometry()).arrays.sum()

    assert ours / whole == pytest.approx(1 / tasks + 1 / 8)


def test_none_stores_what_it_announced_and_the_base_only_where_it_is_used() -> None:
    plugin = Uncompressed(dse.Options())
    owner = np.array([[[0, 1], [2, 2]]])
    wanted = demand(LOAD, dse.Plan(owner), generator="test")
    footprint = plugin.footprint(LOAD, wanted, geometry(), dse.Params(1))
    layers = {0: [0], 1: [1], 2: [0, 1]}
    for one, used in layers.items():
        source = CONTEXT.base_weights() if one == dse.BASE else CONTEXT.task_weights(one - 1)
        weights = dse.Matrices({key: weight for key, weight in source.items() if key[0] in used})
        stored = plugin.store(weights, CONTEXT.base_weights(), geometry(), dse.Params(1), one)
        shapes = {key: (weight.shape[0], weight.shape[1]) for key, weight in weights.items()}
        check_stored(LOAD.encoder, stored, shapes, footprint, one, who="none")
    assert not footprint.pieces[0].rows[0, dse.BASE, 1].any()


def test_layers_before_the_first_have_no_difference() -> None:
    plugin, given_params = prepared(), params(from_layer=1)
    stored = plugin.store(CONTEXT.task_weights(0), CONTEXT.base_weights(), geometry(), given_params, 1)
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    footprint = plugin.footprint(LOAD, wanted, geometry(), given_params)

    assert all(bool(item.terms) == (key[0] >= 1) for key, item in stored.items())
    assert not footprint.pieces[0].columns[0, 1, 0].any()
    assert footprint.pieces[0].columns[0, 1, 1].all()


def test_groups_of_layers_have_hyper_parameters_of_their_own() -> None:
    plugin = TwoStage(TwoStageOptions(layer_groups=2))
    plugin.prepare(CONTEXT)
    names = [item.name for item in plugin.parameters(LOAD)]
    values = {"cosine_1": 0.95, "cosine_2": 0.95, "max_bits_1": 8, "max_bits_2": 8, "selective_1": 0.5,
              "selective_2": 0.0, "from_layer": 0}  # fmt: skip
    given_params = dse.Params(1, {name: np.full((1, 2), value) for name, value in values.items()})
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    columns = plugin.footprint(LOAD, wanted, geometry(), given_params).pieces[0].columns

    assert sorted(names) == sorted(values)
    np.testing.assert_array_equal(columns[0, 1, 0] * 2, columns[0, 1, 1])
