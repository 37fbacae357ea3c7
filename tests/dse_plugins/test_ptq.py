"""`ptq`: separate models in few bits take the arrays of these bits, and lose no more than brute force over steps does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dse_plugins.compressors.ptq import PostTraining

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.score.check_stored import check_stored
from dse.score.matrices import effective
from tests.support.workloads import geometry, minilm, workload

LOAD = workload(2)
SCALE_BITS = 32


def params(bits: list[int], grid: list[str]) -> dse.Params:
    return dse.Params(len(bits), {"bits": np.array(bits), "grid": np.array(grid)})


def brute_force(values: np.ndarray, bits: int) -> float:
    """The least squared error over 5,000 steps, from codes that use a hundredth of the range to steps beyond any weight."""
    top = 2**bits - 1
    steps = np.abs(values).max() * np.geomspace(0.01 / top, 2, 5_000)[:, None]
    return float(
        ((np.clip(np.rint(values.ravel() / steps), -top, top) * steps - values.ravel()) ** 2).sum(axis=1).min()
    )


@pytest.mark.parametrize("bits", [1, 3, 4, 7])
@pytest.mark.parametrize("grid", ["output", "matrix"])
def test_it_loses_no_more_than_brute_force(bits: int, grid: str) -> None:
    draw = np.random.default_rng(bits)
    weight = (draw.standard_t(4, (6, 64)) * np.geomspace(0.1, 3, 6)[:, None]).astype(np.float32)
    tensor = torch.from_numpy(weight)
    made = PostTraining(dse.Options()).store(
        dse.Matrices({(0, 0): tensor}), dse.Matrices({}), geometry(), params([bits], [grid]), 1
    )
    (term,) = made[0, 0].terms

    assert int(term.codes.abs().max()) <= term.magnitude == 2**bits - 1
    assert term.scale.numel() == {"output": 6, "matrix": 1}[grid]
    lost = (effective(made[0, 0], None, (6, 64)).double().numpy() - weight) ** 2
    parts = weight[:, None] if grid == "output" else weight[None]
    spare = 1.15 if grid == "output" and bits == 7 else 1.02  # a row of 64 has many narrow dips at 255 codes
    for part, own in zip(parts, lost.sum(axis=1) if grid == "output" else [lost.sum()], strict=True):
        assert own <= brute_force(part.astype(float), bits) * spare


@pytest.mark.parametrize(("bits", "share"), [(7, 7 / 8), (4, 0.5), (3, 3 / 8), (1, 1 / 8)])
def test_its_arrays_are_those_of_its_bits_and_its_scales_are_charged(bits: int, share: float) -> None:
    load = minilm(2)
    wanted = demand(load, dse.separate_models(load, 2), generator="test")
    ours = PostTraining(dse.Options()).footprint(load, wanted, geometry(2), params([bits] * 2, ["output", "matrix"]))
    arrays = count(load, wanted, ours, geometry(2)).arrays.sum(axis=(1, 2))
    whole = count(load, wanted, dse.whole_footprint(wanted), geometry(2)).arrays.sum(axis=(1, 2))

    assert (arrays == whole * share).all()
    outputs = sum(matrix.columns for matrix in load.encoder.matrices)
    scales = np.array([outputs, len(load.encoder.matrices)]) * 2 * load.encoder.layers
    assert (ours.digital_bits.sum(axis=(1, 2, 3)) == scales * SCALE_BITS).all()


def test_it_stores_what_it_announced_and_the_base_where_it_is_used() -> None:
    owner = np.array([[[0, 1], [2, 2]]])
    wanted = demand(LOAD, dse.Plan(owner), generator="test")
    weights = dse.Matrices(
        {
            (layer, index): torch.randn(matrix.columns, matrix.rows)
            for layer in range(LOAD.encoder.layers)
            for index, matrix in enumerate(LOAD.encoder.matrices)
        }
    )
    for grid in ("output", "matrix"):
        given = params([4], [grid])
        made = PostTraining(dse.Options())
        footprint = made.footprint(LOAD, wanted, geometry(), given)
        for one, layers in {0: [0], 1: [1], 2: [0, 1]}.items():
            own = dse.Matrices({key: weight for key, weight in weights.items() if key[0] in layers})
            shapes = {key: (weight.shape[0], weight.shape[1]) for key, weight in own.items()}
            stored = made.store(own, weights, geometry(), given, one)
            check_stored(LOAD.encoder, stored, shapes, footprint, one, who="ptq")
