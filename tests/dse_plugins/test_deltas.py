"""Differences as other papers compress them: what is stored is what they say, and what it takes is cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.compressors.deltas.bitdelta import BitDelta
from dse_plugins.compressors.deltas.dare import Dare
from dse_plugins.compressors.deltas.low_rank import LowRank
from dse_plugins.compressors.deltas.ternary import Ternary

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.score.matrices import effective, products
from dse.testing import TinyContext, tiny_workload
from tests.support.workloads import geometry

LOAD = tiny_workload(2)
CONTEXT = TinyContext(LOAD, spread=0.02)
KEY = (1, 4)


def params(**values: Any) -> dse.Params:
    return dse.Params(1, {name: np.asarray(value)[None] for name, value in values.items()})


def made(build: Any) -> Any:
    plugin = build(dse.Options())
    plugin.prepare(CONTEXT)
    return plugin


def delta(plugin: Any, given: dse.Params, task: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The stored difference of one matrix, and the true one."""
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(task))
    shape = (base[KEY].shape[0], base[KEY].shape[1])
    below = effective(plugin.store(base, base, geometry(), given, 0)[KEY], None, shape)
    stored = plugin.store(tuned, base, geometry(), given, 1 + task)[KEY]
    product = sum((second @ first for first, second in products(stored, shape)), torch.zeros(shape))
    return effective(stored, below, shape) - below + product, tuned[KEY] - below


def arrays(plugin: Any, given: dse.Params) -> float:
    """Arrays of the first task's differences, by those of whole weights."""
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    placed = geometry(rows=16, columns=16)
    found = count(LOAD, wanted, plugin.footprint(LOAD, wanted, placed, given), placed)
    whole = count(LOAD, wanted, dse.whole_footprint(wanted), placed)
    return float(found.arrays[0, 1].sum() / whole.arrays[0, 1].sum())


@pytest.mark.parametrize("scale", ["matrix", "channel"])
def test_bitdelta_is_a_sign_times_the_mean_magnitude_in_one_array(scale: str) -> None:
    plugin, given = made(BitDelta), params(scale=scale)
    stored, true = delta(plugin, given)
    size = true.abs().mean(dim=1, keepdim=True) if scale == "channel" else true.abs().mean()

    torch.testing.assert_close(stored, torch.where(true > 0, size, -size), atol=1e-5, rtol=1e-4)
    assert arrays(plugin, given) == 1 / 16


def test_ternary_keeps_the_largest_signs_of_each_output_whatever_the_density_takes_no_less() -> None:
    plugin = made(Ternary)
    for density in (0.25, 0.75):
        given = params(density=[density, density])
        stored, true = delta(plugin, given)
        kept = stored.abs() > 1e-7
        least = torch.where(kept, true.abs(), torch.inf).amin(dim=1)
        most = torch.where(kept, -torch.inf, true.abs()).amax(dim=1)

        assert (kept.sum(dim=1) == round(density * true.shape[1])).all()
        assert (least >= most).all()
        assert (stored.sign() == true.sign())[kept].all()
        assert arrays(plugin, given) == 1 / 8


def test_dare_drops_at_random_keeps_the_mean_and_frees_no_array() -> None:
    plugin = made(Dare)
    whole, _ = delta(plugin, params(drop=[0.0, 0.0], bits=[3, 3]))
    thinned, _ = delta(plugin, params(drop=[0.75, 0.0], bits=[3, 3]))
    kept = thinned.abs() > 1e-7

    assert 0.15 < kept.sum() / (whole.abs() > 1e-7).sum() < 0.35
    torch.testing.assert_close(thinned[kept], 4 * whole[kept], atol=1e-4, rtol=1e-3)
    for drop in (0.0, 0.9):
        assert arrays(plugin, params(drop=[drop, drop], bits=[1, 1])) == 1 / 8


def low_rank(rank: int, precise: float, high_bits: int = 7, low_bits: int = 1) -> dse.Params:
    return params(rank=[rank] * 2, precise=[precise] * 2, high_bits=high_bits, low_bits=low_bits)


def test_low_rank_is_as_close_as_singular_vectors_can_be() -> None:
    plugin = made(LowRank)
    for rank in (4, 16, 32):
        stored, true = delta(plugin, low_rank(rank, 1.0))
        left = torch.linalg.svdvals(true)[rank:].square().sum()

        assert (stored - true).square().sum() == pytest.approx(float(left), rel=0.02, abs=1e-3)


def test_low_rank_with_more_rank_or_bits_is_closer() -> None:
    plugin = made(LowRank)

    def error(given: dse.Params) -> float:
        stored, true = delta(plugin, given)
        return float((stored - true).square().sum())

    assert error(low_rank(0, 0.5)) == pytest.approx(float(delta(plugin, low_rank(0, 0.5))[1].square().sum()))
    errors = [error(low_rank(rank, 0.25)) for rank in (0, 8, 16, 32)]
    assert errors == sorted(errors, reverse=True)
    errors = [error(low_rank(16, precise)) for precise in (0.0, 0.5, 1.0)]
    assert errors == sorted(errors, reverse=True)


def test_a_thin_factor_takes_whole_arrays() -> None:
    plugin, layer = made(LowRank), 4 * 32 * 32 + 2 * 32 * 64
    whole = layer / 16**2 * 16  # arrays of 16 x 16 for 8 bits in separate arrays
    first = (
        3 * 2 + 2 + 2 + 4
    )  # one column block on 2, 2, 2 and 4 row blocks; query, key and value find no room together
    second = 3 * 2 + 2 + 4 + 2

    assert arrays(plugin, low_rank(16, 0.0)) == pytest.approx(2 * (first + second) / whole)
    assert arrays(plugin, low_rank(11, 0.0)) == arrays(plugin, low_rank(16, 0.0))
    assert arrays(plugin, low_rank(0, 0.0)) == 0


def test_dare_drops_the_same_cells_wherever_a_task_stands_in_a_file() -> None:
    plugin = made(Dare)
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(0))
    given = params(drop=[0.5, 0.5], bits=[3, 3])
    first, second = (plugin.store(tuned, base, geometry(), given, owner) for owner in (1, 2))
    other = plugin.store(dse.Matrices(CONTEXT.task_weights(1)), base, geometry(), given, 1)

    assert all(torch.equal(first[key].terms[1].codes, second[key].terms[1].codes) for key in tuned)
    assert not torch.equal(first[KEY].terms[1].codes != 0, other[KEY].terms[1].codes != 0)
