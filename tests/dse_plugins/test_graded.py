"""`graded`: what it measures is what leaving columns out does, and arrays go where they do most good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dse_plugins.compressors.graded import Graded, GradedOptions
from dse_plugins.compressors.graded.effects import BINARY, NONE, TERNARY, binary, measure_outputs
from dse_plugins.compressors.graded.grading import Grading, Placement, starts
from hypothesis import given, settings
from hypothesis import strategies as st

import dse
from dse.cost.counts import count
from dse.cost.demand import demand
from dse.testing import TinyContext, tiny_workload
from tests.support.workloads import geometry

LOAD = tiny_workload(2)
CONTEXT = TinyContext(LOAD)
PLACED = Placement(16, 16, 1.0, 2.0)


@pytest.fixture(scope="module")
def plugin() -> Graded:
    made = Graded(GradedOptions(rows=200))
    made.prepare(CONTEXT)
    return made


def effects(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    drops = np.sort(rng.random((3, LOAD.encoder.layers, starts(LOAD.encoder)[-1])), axis=0)[::-1]
    return drops * rng.choice([1.0, 100.0], size=drops.shape[1:])


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_two_values_for_an_output_are_better(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    row = torch.randn(1, 12, generator=draw) * torch.rand(1, 12, generator=draw)
    bits, step, low = binary(row)
    found = (row - (bits * step + low)).square().sum()
    ordered = row[0].sort().values
    best = min(
        sum(((part - part.mean()) ** 2).sum() for part in (ordered[:cut], ordered[cut:])) for cut in range(1, 12)
    )

    assert found <= best + 1e-5
    assert step >= 0


def test_effects_are_sums_over_tokens_and_means_over_rows() -> None:
    scales = {key: dse.best_scale(weight) for key, weight in CONTEXT.base_weights().items()}
    tables = measure_outputs(CONTEXT, 0, scales, 200)
    key, begin = (1, 3), starts(LOAD.encoder)[3]
    left = CONTEXT.task_weights(0)[key] - dse.quantise(CONTEXT.base_weights()[key], scales[key]) * scales[key]
    changes, alone = [], []
    for seen in CONTEXT.observe(0, 200):
        for row in range(len(seen.mask)):
            live = seen.mask[row]
            gradient = seen.gradients[key][row][live]
            changes.append(((seen.inputs[key][row][live] @ left.T) * gradient).sum(0))
            alone.append(gradient.sum(0))
    change, own = torch.stack(changes), torch.stack(alone)
    part = slice(begin, begin + len(left))

    torch.testing.assert_close(torch.from_numpy(tables["plain"][NONE, 1, part]), change.square().mean(0))
    shifted = change - torch.from_numpy(tables["bias"][NONE, 1, part]) * own
    torch.testing.assert_close(
        torch.from_numpy(tables["recovered"][NONE, 1, part]), shifted.square().mean(0), rtol=1e-3, atol=1e-5
    )
    assert (tables["recovered"] <= tables["plain"] * (1 + 1e-5) + 1e-7).all()


def test_a_bias_nothing_depends_on_stays_small() -> None:
    class Cancelling(TinyContext):
        """The gradients of one matrix sum to zero over each row's tokens, as those of keys do."""

        def observe(self, task: int, rows: int = 384, model: dse.Model | None = None) -> Any:
            for seen in super().observe(task, rows, model):
                live = seen.gradients[0, 1] * seen.mask[..., None]
                mean = live.sum(1, keepdim=True) / seen.mask.sum(1)[:, None, None]
                balanced = (live - mean) * seen.mask[..., None]
                yield dse.Observation(seen.inputs, {**seen.gradients, (0, 1): balanced}, seen.mask, seen.logits)

    scales = {key: dse.best_scale(weight) for key, weight in CONTEXT.base_weights().items()}
    tables = measure_outputs(Cancelling(LOAD), 0, scales, 200)
    begin = starts(LOAD.encoder)
    usual = np.abs(tables["bias"][:, 0, : begin[1]]).mean()

    assert np.abs(tables["bias"][:, 0, begin[1] : begin[2]]).max() < 1e-3 * usual
    assert np.abs(tables["base_bias"][:, 0, begin[1] : begin[2]]).max() < 1e-3 * usual


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_a_larger_share_does_more_good_for_more_arrays_and_keeps_its_budget(seed: int) -> None:
    table = effects(seed)
    grading = Grading(LOAD.encoder, table, PLACED)
    steps = grading.steps(np.array([0.0, 0.2, 0.5, 0.9, 1.0]))
    loss = [float(np.take_along_axis(table, grading.levels[step][None].astype(int), axis=0).sum()) for step in steps]

    assert not grading.levels[0].any()
    assert (grading.levels[-1] == TERNARY).all()
    assert (grading.spent[steps] <= np.array([0.0, 0.2, 0.5, 0.9, 1.0]) * grading.whole + 1e-6).all()
    assert loss == sorted(loss, reverse=True)
    assert grading.spent[-1] == pytest.approx(grading.whole)


def test_what_is_spent_is_what_the_arrays_are(plugin: Graded) -> None:
    placed = geometry(rows=16, columns=16)
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    for share in (0.15, 0.5, 0.85, 1.0):
        params = dse.Params(1, {"share": np.full((1, 2), share), "base_bits": np.array([8])})
        counted = count(LOAD, wanted, plugin.footprint(LOAD, wanted, placed, params), placed)
        for task in range(2):
            grading = plugin._grading(task, Placement.of(placed, 0))
            spent = grading.spent[grading.steps(np.array(share))]
            assert counted.arrays[0, 1 + task].sum() == pytest.approx(
                spent, rel=0.1
            )  # blocks of two forms may share one
            assert counted.arrays[0, 1 + task].sum() <= spent


def test_one_array_for_either_form_leaves_no_use_for_bits() -> None:
    """Offset codes of ternary in two-bit cells take one array, as bits do."""
    placement = Placement.of(geometry(cell_bits=2, encoding=1), 0)
    grading = Grading(LOAD.encoder, effects(0), placement)

    assert placement.binary == placement.ternary == 1
    assert not (grading.levels == BINARY).any()


def test_without_recovery_no_bias_is_stored() -> None:
    plain = Graded(GradedOptions(rows=100, recover=False))
    plain.prepare(CONTEXT)
    params = dse.Params(1, {"share": np.full((1, 2), 0.5), "base_bits": np.array([8])})
    weights, base = dse.Matrices(CONTEXT.task_weights(0)), dse.Matrices(CONTEXT.base_weights())

    assert all(item.bias is None for item in plain.store(weights, base, geometry(), params, 1).values())


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_a_coarse_base_takes_fewer_slices_and_biases_know_of_it(plugin: Graded, bits: int) -> None:
    wanted = demand(LOAD, dse.separate_models(LOAD, 1), generator="test")
    params = dse.Params(1, {"share": np.full((1, 2), 0.5), "base_bits": np.array([bits])})
    counted = count(LOAD, wanted, plugin.footprint(LOAD, wanted, geometry(), params), geometry())
    whole = count(LOAD, wanted, dse.whole_footprint(wanted), geometry())
    base, tuned = dse.Matrices(CONTEXT.base_weights()), dse.Matrices(CONTEXT.task_weights(0))
    term = plugin.store(base, base, geometry(), params, 0)[0, 0].terms[0]
    stored, full = (
        plugin.store(tuned, base, geometry(), dse.Params(1, {**params, "base_bits": np.array([at])}), 1)[0, 0]
        for at in (bits, 8)
    )

    assert counted.arrays[0, dse.BASE].sum() / whole.arrays[0, 1].sum() == bits / 8
    assert term.magnitude == (128 if bits == 8 else 2**bits - 1)
    assert ((term.codes * term.scale - base[0, 0]).abs().mean() / base[0, 0].abs().mean()) < 2.0 ** (1.5 - min(bits, 7))
    assert stored.bias is not None
    assert full.bias is not None
    assert torch.equal(stored.bias, full.bias) == (bits == 8)
