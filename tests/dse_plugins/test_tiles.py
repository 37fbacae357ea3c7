"""Whole arrays of a difference left out, or given bits of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.compressors.deltas.mixed_precision import MixedPrecision
from dse_plugins.compressors.deltas.tile_drop import TileDrop
from dse_plugins.compressors.deltas.tile_effects import TileOptions, measure_tiles

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.score.matrices import effective
from dse.testing import TinyContext, tiny_workload
from tests.support.workloads import geometry

LOAD = tiny_workload(2)
CONTEXT = TinyContext(LOAD, spread=0.02)
OPTIONS = TileOptions(tile_rows=16, tile_columns=16)
LAYER = (4 * 32 * 32 + 2 * 32 * 64) // 16**2
TILES = LOAD.encoder.layers * LAYER
ARRAYS = geometry(rows=16, columns=16)


def drop(keep: tuple[float, float], by: str = "effect") -> dse.Params:
    return dse.Params(1, {"keep": np.array([keep]), "by": np.array([by])})


def mixed(bits: tuple[float, float]) -> dse.Params:
    return dse.Params(1, {"bits": np.array([bits])})


def made(build: Any) -> Any:
    plugin = build(OPTIONS)
    plugin.prepare(CONTEXT)
    return plugin


def arrays(plugin: Any, given: dse.Params) -> list[float]:
    """Arrays of each task's differences."""
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    return list(count(LOAD, wanted, plugin.footprint(LOAD, wanted, ARRAYS, given), ARRAYS).arrays[0, 1:].sum(axis=1))


def deltas(plugin: Any, given: dse.Params, task: int = 0) -> dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]]:
    """Stored and true difference of every matrix, in steps of the base's grid."""
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(task))
    stored, found = plugin.store(tuned, base, ARRAYS, given, 1 + task), {}
    for key, weight in tuned.items():
        parts = dse.decompose(base[key], weight)
        below = parts.base * parts.scale
        found[key] = ((effective(stored[key], below, tuple(weight.shape)) - below) / parts.scale, parts.delta)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("by", ["effect", "norm"])
def test_a_share_of_the_tiles_takes_that_share_of_the_arrays(by: str) -> None:
    plugin = made(TileDrop)

    assert arrays(plugin, drop((1.0, 0.25), by)) == [2 * TILES, 2 * TILES * 0.25]
    assert arrays(plugin, drop((0.0, 0.5), by)) == [0, TILES]


def test_what_is_kept_is_clipped_and_what_is_not_is_zero_in_whole_tiles() -> None:
    plugin, kept = made(TileDrop), 0
    for stored, true in deltas(plugin, drop((0.5, 0.5))).values():
        for block, whole in zip(
            *(side.unfold(0, 16, 16).unfold(1, 16, 16).reshape(-1, 256) for side in (stored, true)), strict=True
        ):
            if block.abs().sum() > 0.5:
                torch.testing.assert_close(block.round().to(whole), whole.clamp(-1, 1))
                kept += 1

    assert kept == TILES / 2


def test_the_smallest_differences_go_first_by_norm() -> None:
    plugin = made(TileDrop)
    found = deltas(plugin, drop((0.5, 0.5), "norm"))
    gains: dict[bool, list[float]] = {True: [], False: []}
    for key, (stored, true) in found.items():
        scale = dse.best_scale(CONTEXT.base_weights()[key])
        difference = CONTEXT.task_weights(0)[key] - dse.quantise(CONTEXT.base_weights()[key], scale) * scale
        gain = difference.square() - (difference - true.clamp(-1, 1) * scale).square()
        blocks, taken = (side.unfold(0, 16, 16).unfold(1, 16, 16).sum(dim=(2, 3)) for side in (gain, stored.abs()))
        for value, kept in zip(blocks.flatten().tolist(), (taken > 0.5).flatten().tolist(), strict=True):
            gains[kept].append(value)

    assert min(gains[True]) >= max(gains[False]) - 1e-6


def test_the_effect_is_what_the_logits_change_by() -> None:
    scales = {key: dse.best_scale(weight) for key, weight in CONTEXT.base_weights().items()}
    table = measure_tiles(CONTEXT, 0, scales, OPTIONS, (1,))
    key, total, count_ = (1, 4), 0.0, 0
    parts = dse.decompose(CONTEXT.base_weights()[key], CONTEXT.task_weights(0)[key])
    left = CONTEXT.task_weights(0)[key] - parts.base * parts.scale
    for seen in CONTEXT.observe(0, OPTIONS.rows):
        gradients = seen.gradients[key] * seen.mask[..., None]
        change = torch.einsum("rto,oi,rti->r", gradients[..., 16:32], left[16:32, :16], seen.inputs[key][..., :16])
        total, count_ = total + float(change.square().sum()), count_ + len(change)
    before = 4 * 4  # tiles of the four square matrices
    column_block, row_blocks = 1, 2

    assert table["effect"].shape == (2, LOAD.encoder.layers, LAYER)
    assert table["effect"][0, 1, before + column_block * row_blocks] == pytest.approx(total / count_, rel=1e-4)
    assert (table["norm"][1] < table["norm"][0]).all()


def test_bits_are_spent_where_they_do_most_and_none_is_skipped() -> None:
    plugin = made(MixedPrecision)
    assert arrays(plugin, mixed((1.5, 0.5))) == [2 * TILES * 1.5, 2 * TILES * 0.5]
    assert arrays(plugin, mixed((3.0, 0.0))) == [2 * TILES * 3, 0]
    errors = [
        sum(float((stored - true).square().sum()) for stored, true in deltas(plugin, mixed((bits, bits))).values())
        for bits in (0.0, 0.5, 1.0, 2.0, 3.0)
    ]
    assert errors == sorted(errors, reverse=True)
    for stored, true in deltas(plugin, mixed((3.0, 3.0))).values():
        torch.testing.assert_close(stored.round().to(true), true.clamp(-7, 7))


def test_before_anything_is_measured_every_tile_is_charged() -> None:
    assert arrays(TileDrop(OPTIONS), drop((0.1, 0.1))) == [2 * TILES, 2 * TILES]
    assert arrays(MixedPrecision(OPTIONS), mixed((0.1, 0.1))) == [6 * TILES, 6 * TILES]
