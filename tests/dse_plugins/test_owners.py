"""Trunks, groups and branches under compressors of differences: what is kept without tables, and that it is what was charged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.compressors.deltas.bitdelta import BitDelta
from dse_plugins.compressors.deltas.dare import Dare
from dse_plugins.compressors.deltas.mixed_precision import MixedPrecision
from dse_plugins.compressors.deltas.ternary import Ternary
from dse_plugins.compressors.deltas.tile_drop import TileDrop
from dse_plugins.compressors.deltas.tile_effects import TileOptions
from dse_plugins.compressors.graded import Graded, GradedOptions
from dse_plugins.compressors.graded.effects import TERNARY
from dse_plugins.compressors.graded.grading import Placement
from dse_plugins.compressors.shared.even import even, rank
from dse_plugins.compressors.shared.owners import by_owner
from dse_plugins.compressors.two_stage import TwoStage, TwoStageOptions
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.cost import Built
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.score.stored_terms import Assembly
from dse.testing import tiny_workload
from tests.support.workloads import BoundContext, geometry

LOAD = tiny_workload(3)
CONTEXT: Any = BoundContext(LOAD, spread=0.02)
ARRAYS = geometry(rows=16, columns=16)
TILES = TileOptions(tile_rows=16, tile_columns=16)
OWNER = np.array([[[0, 0, 0, 0], [1, 1, 1, 3], [1, 1, 4, 4]]])
"""The first task lives on the trunk in the base's place; the others share another, and have branches."""
BRANCHES = np.array([[[0, 0, 0, 0], [0, 0, 0, 2], [0, 0, 3, 3]]])


class Trunks:
    """Weights nobody has seen: every owner's is trained, and tasks keep unlike columns."""

    joint = True

    def __init__(self, *, cut: bool = True) -> None:
        self.cut = cut

    def plan(self, workload: dse.Workload, params: dse.Params) -> dse.Plan:
        del params
        ffn = np.arange(workload.encoder.ffn) % 5 != np.arange(3)[None, :, None, None]
        ffn = np.broadcast_to(ffn, (*OWNER.shape, workload.encoder.ffn))
        return dse.Plan(OWNER, groups=1, ffn=ffn if self.cut else None)

    def weights(self, context: dse.Context, params: dse.Params, owner: int) -> dse.Model:
        del params
        return context.trained(dse.Training((0, 1, 2), passes=1.0 + owner))


def params(**values: Any) -> dse.Params:
    return dse.Params(1, {name: np.asarray(value)[None] for name, value in values.items()})


def made(build: Any, options: Any) -> Any:
    plugin = build(options)
    plugin.prepare(CONTEXT)
    return plugin


NONE: Any = None


def assembled(compressor: Any, chosen: dse.Params, *, cut: bool = True) -> Assembly:
    generator: Any = Trunks(cut=cut)
    built = Built(("trunks", "c", "s", "h"), generator, compressor, NONE, NONE)
    return Assembly(CONTEXT, built, {"generator": dse.Params(1), "compressor": chosen}, ARRAYS)


PLAIN = dse.Options()
EXACT = (
    (TwoStage, TwoStageOptions(), params(cosine=[0.0] * 3, max_bits=[8] * 3, selective=[0.0] * 3, from_layer=[0] * 3)),
    (
        TwoStage,
        TwoStageOptions(per_channel=True),
        params(cosine=[0.0] * 3, max_bits=[8] * 3, selective=[0.0] * 3, from_layer=[0] * 3),
    ),
    (Dare, PLAIN, params(drop=[0.0] * 3, bits=[8] * 3)),
)
ONE_BIT = (
    (TwoStage, TwoStageOptions(), params(cosine=[0.9] * 3, max_bits=[1] * 3, selective=[0.5] * 3, from_layer=[0] * 3)),
    (Graded, GradedOptions(), params(base_bits=8, share=[0.3, 0.5, 0.8])),
    (BitDelta, PLAIN, params(scale="matrix")),
    (Ternary, PLAIN, params(density=[0.2, 0.5, 0.9])),
    (Dare, PLAIN, params(drop=[0.5] * 3, bits=[1, 2, 4])),
    (TileDrop, TILES, params(keep=[0.2, 0.5, 0.9], by="effect")),
    (MixedPrecision, TILES, params(bits=[0.5, 1.5, 2.5])),
)


@pytest.mark.parametrize(("build", "options", "chosen"), EXACT)
def test_trunk_and_full_difference_give_back_an_owners_codes_exactly(build: Any, options: Any, chosen: Any) -> None:
    point = assembled(made(build, options), chosen)
    for task in range(3):
        held, plan = point.of_task(task), Trunks().plan(LOAD, dse.Params(1))
        assert plan.ffn is not None
        for key, weight in held.weights.items():
            layer, index = key
            owner = int(OWNER[0, task, layer])
            trunk, own = (Trunks().weights(CONTEXT, dse.Params(1), one).matrices[key] for one in (0, owner))
            scale = dse.best_scale(trunk, per_channel=getattr(options, "per_channel", False))
            expected = dse.quantise(own, scale) * scale
            gone = torch.from_numpy(~plan.ffn[0, task, layer])
            if index in {4, 5}:
                expected = expected.clone()
                (expected if index == 4 else expected.T)[gone] = 0
            torch.testing.assert_close(weight, expected, atol=1e-5, rtol=0)
            assert torch.equal((weight / scale).round(), (expected / scale).round())


@pytest.mark.parametrize(("build", "options", "chosen"), [*EXACT, *ONE_BIT])
def test_what_is_stored_of_every_owner_is_what_was_charged(build: Any, options: Any, chosen: Any) -> None:
    for cut in (True, False):
        point = assembled(made(build, options), chosen, cut=cut)
        assert all(len(point.of_task(task).weights) == 24 for task in range(3))  # each checked as it is rebuilt


@pytest.mark.parametrize(("build", "options", "chosen"), ONE_BIT)
@pytest.mark.parametrize("owner", [OWNER, BRANCHES])
def test_differences_from_a_trunk_that_is_used_never_take_more_than_whole_owners(
    owner: Any, build: Any, options: Any, chosen: Any
) -> None:
    wanted = demand(LOAD, dse.Plan(owner, groups=int(owner.max()) - 3), generator="test", joint=True)
    found = count(LOAD, wanted, made(build, options).footprint(LOAD, wanted, ARRAYS, chosen), ARRAYS)
    whole = count(LOAD, wanted, dse.whole_footprint(wanted), ARRAYS)

    assert (found.arrays <= whole.arrays).all()
    assert found.arrays[0, 0].sum() == whole.arrays[0, 0].sum()
    assert 0 < found.arrays[0, 1:].sum() < whole.arrays[0, 1:].sum()


@pytest.mark.parametrize("placed", [ARRAYS, geometry(rows=16, columns=16, cell_bits=2, encoding=1)])
def test_graded_keeps_its_share_of_arrays_without_tables(placed: Any) -> None:
    plugin = made(Graded, GradedOptions())
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test", joint=True)
    block_of_each = 4 * 2 + 2 + 4  # arrays one form more of a block of columns takes, over all matrices
    most = float(Placement.of(placed, 0).ternary) * LOAD.encoder.layers * (4 * 2 * 2 + 2 * 4 * 2)

    for share in (0.0, 0.3, 0.5, 0.8, 1.0):
        chosen = params(base_bits=8, share=[share] * 3)
        found = count(LOAD, wanted, plugin.footprint(LOAD, wanted, placed, chosen), placed)
        for arrays in found.arrays[0, 1:].sum(axis=1):
            assert share * most - block_of_each < arrays <= share * most
    assert Placement.of(placed, 0).forms[-1] == TERNARY


def test_tiles_without_tables_keep_the_largest_differences() -> None:
    plugin, chosen = made(TileDrop, TILES), params(keep=[0.5] * 3, by="effect")
    trunk, own = (Trunks().weights(CONTEXT, dse.Params(1), one).matrices for one in (0, 3))
    held = assembled(plugin, chosen, cut=False).of_task(1).weights
    key = (3, 4)
    scale = dse.best_scale(trunk[key])
    below = dse.quantise(trunk[key], scale) * scale
    norms = (own[key] - below).unfold(1, 16, 16).square().sum(dim=-1)  # (outputs, blocks of rows)
    kept = ((held[key] - below).abs() > 1e-6).unfold(1, 16, 16).any(dim=-1)

    assert kept.sum() == norms.numel() / 2
    for block in range(norms.shape[1]):
        assert norms[kept[:, block], block].min() >= norms[~kept[:, block], block].max()


@given(
    st.floats(0.0, 3.0),
    st.lists(st.integers(0, 70), min_size=1, max_size=9),
    st.integers(1, 20),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_levels_are_spread_evenly_and_never_come_to_more(mean: float, columns: list[int], width: int) -> None:
    found = even(np.array([[mean]]), np.array([[columns]], dtype=float), width)
    blocks = np.ceil(np.array(columns) / width)
    steps = found.low[0, 0] * blocks + np.ceil(found.upper[0, 0] / width)

    assert steps.sum() <= mean * blocks.sum() + 1e-6
    assert steps.sum() > mean * blocks.sum() - 1
    assert (np.abs(steps - mean * blocks) < 1 + 1e-6).all()
    assert np.array_equal(sum(found.at(level) for level in range(5)), [[columns]])
    assert (found.upper <= found.columns).all()


def test_the_largest_differences_are_a_level_higher() -> None:
    difference = torch.tensor([[1.0], [-3.0], [2.0], [0.0]])

    assert rank(difference, 1.0, 2.0).tolist() == [1, 2, 2, 1]
    assert rank(difference, 0.0, 0.0).tolist() == [0, 0, 0, 0]


def test_a_group_takes_of_each_value_what_keeps_most_among_its_users() -> None:
    owner = np.repeat(OWNER, 2, axis=0)
    owner[1] = OWNER[0, 0]  # nobody uses the group
    wanted = demand(LOAD, dse.Plan(owner, groups=1), generator="test", joint=True)
    given_params = dse.Params(
        2,
        {
            "bits": np.array([[4, 1, 2], [4, 1, 2]]),
            "drop": np.array([[0.0, 0.5, 0.3], [0.0, 0.5, 0.3]]),
            "scale": np.array(["matrix", "channel"]),
        },
    )
    found = by_owner(given_params, wanted, least=("drop",))

    np.testing.assert_array_equal(found["bits"], [[2, 4, 1, 2], [4, 4, 1, 2]])
    np.testing.assert_array_equal(found["drop"], [[0.3, 0.0, 0.5, 0.3], [0.0, 0.0, 0.5, 0.3]])
    assert found["scale"].tolist() == ["matrix", "channel"]
    apart = demand(LOAD, dse.separate_models(LOAD, 2), generator="test")
    assert by_owner(given_params, apart) is given_params
    assert by_owner(given_params, None) is given_params


def test_two_stage_takes_the_bits_it_may_where_no_cosine_was_measured() -> None:
    plugin = made(TwoStage, TwoStageOptions())
    wanted = demand(LOAD, dse.Plan(OWNER, groups=1), generator="test", joint=True)
    for cosine in (0.0, 1.0):
        chosen = params(cosine=[cosine] * 3, max_bits=[1, 2, 4], selective=[0.0] * 3, from_layer=[1, 1, 3])
        magnitude = plugin.footprint(LOAD, wanted, ARRAYS, chosen).pieces[0].magnitude[0, :, :, 0]

        np.testing.assert_array_equal(magnitude[1], [0, 15, 15, 0])  # the group is as its most demanding user asks
        np.testing.assert_array_equal(magnitude[3:], [[0, 0, 0, 3], [0, 0, 0, 15]])
