"""What is kept of a layer makes up for what is left out, as well as least squares can."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from dse_plugins.generators.mgen.recovery import DAMPING, make_up, moments, recover
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.testing import TinyContext, tiny_workload

LOAD = tiny_workload(2)
CONTEXT = TinyContext(LOAD)
HEADS, FFN = (1, 3), (1, 5)
"""Matrices that follow heads and columns, of one layer."""


def inputs_of(task: int, key: tuple[int, int]) -> torch.Tensor:
    return torch.cat([seen.inputs[key][seen.mask] for seen in CONTEXT.observe(task, 384)])


def test_moments_are_those_of_all_tokens_without_padding() -> None:
    found = moments(CONTEXT, (0,), 384)
    for name, key in (("heads", HEADS), ("ffn", FFN)):
        inputs = inputs_of(0, key).numpy().astype(np.float64)
        np.testing.assert_allclose(found[f"{name}_mean"][1], inputs.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(found[f"{name}_covariance"][1], np.cov(inputs.T, bias=True), atol=1e-4)


def test_each_task_counts_alike() -> None:
    both, one, two = (moments(CONTEXT, tasks, 384)["ffn_mean"] for tasks in ((0, 1), (0,), (1,)))
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_it_is_the_least_squares_prediction_of_what_is_gone(seed: int, stay: int, gone: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(300, stay + gone)) @ rng.normal(size=(stay + gone, stay + gone)) + rng.normal(
        size=stay + gone
    )
    weight = rng.normal(size=(5, stay + gone))
    kept = rng.permutation(np.arange(stay + gone) < stay)
    mean, covariance = inputs.mean(axis=0), np.cov(inputs.T, bias=True).reshape(stay + gone, stay + gone)
    made, shift = make_up(torch.from_numpy(weight), mean, covariance, kept)

    centred = inputs - mean
    held = np.sqrt(DAMPING * covariance.diagonal()[kept].mean() * len(inputs)) * np.eye(stay)
    wanted = np.concatenate([centred[:, ~kept] @ weight[:, ~kept].T, np.zeros((stay, 5))])
    change, *_ = np.linalg.lstsq(np.concatenate([centred[:, kept], held]), wanted, rcond=None)
    np.testing.assert_allclose(made.numpy()[:, kept], weight[:, kept] + change.T, atol=1e-4, rtol=1e-4)
    assert not made.numpy()[:, ~kept].any()
    outputs, whole = inputs @ made.numpy().T + shift.numpy(), inputs @ weight.T
    np.testing.assert_allclose(outputs.mean(axis=0), whole.mean(axis=0), atol=1e-3)
    alone = inputs[:, kept] @ weight[:, kept].T + mean[~kept] @ weight[:, ~kept].T
    assert ((outputs - whole) ** 2).sum() <= ((alone - whole) ** 2).sum() * (1 + 1e-4)


def test_only_layers_that_lose_something_change() -> None:
    encoder, weights = LOAD.encoder, CONTEXT.task_weights(0)
    kept: dict[str, Any] = {
        "heads": np.ones((encoder.layers, encoder.heads), dtype=bool),
        "ffn": np.ones((encoder.layers, encoder.ffn), dtype=bool),
    }

    def unused() -> dict[str, Any]:
        raise AssertionError("nothing is left out")

    layers = range(encoder.layers)
    assert recover(encoder, weights, layers, unused, kept) == ({}, {})
    kept["heads"][1, 0] = kept["ffn"][1, :5] = False
    matrices, shifts = recover(encoder, weights, layers, lambda: moments(CONTEXT, (0,), 384), kept)

    assert set(matrices) == set(shifts) == {HEADS, FFN}
    assert not matrices[HEADS][:, : encoder.head_size].any()
    assert not matrices[FFN][:, :5].any()
    inputs = inputs_of(0, FFN)
    outputs = inputs @ matrices[FFN].T + shifts[FFN]
    cut = inputs.clone()
    cut[:, :5] = inputs[:, :5].mean(dim=0)
    whole = inputs @ weights[FFN].T
    assert float((outputs - whole).square().sum()) < float((cut @ weights[FFN].T - whole).square().sum())


def test_without_what_units_give_nothing_is_made_up() -> None:
    encoder = LOAD.encoder
    kept = {"heads": np.zeros((encoder.layers, encoder.heads), dtype=bool)}
    assert recover(encoder, dict[tuple[int, int], torch.Tensor](), range(encoder.layers), None, kept) == ({}, {})
