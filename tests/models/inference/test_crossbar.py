from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import CheckpointError
from dse.models.encoder import Decomposed
from dse.models.inference.crossbar import CrossbarLayers, Driver
from dse.records.effective import Effective
from tests.support.text import WORDS
from tests.support.tiny import make_classifier

INPUTS = torch.tensor([[3, 5, 6, 7, 8], [3, 9, 10, 11, 12]])


@pytest.fixture
def model() -> Any:
    return make_classifier(WORDS)


def logits(layers: CrossbarLayers) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = layers.model(input_ids=INPUTS).logits.clone()
    return found


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(2, 8), st.integers(0, 1000))
def test_inputs_land_on_the_grid_of_their_token(bits: int, seed: int) -> None:
    driver = Driver()
    driver.bits = bits
    vector = torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(seed)) * 5
    driven = driver(vector)
    step = vector.abs().amax(dim=-1, keepdim=True) / (2 ** (bits - 1) - 1)
    codes = driven / step
    assert torch.allclose(codes, codes.round(), atol=1e-3)
    assert codes.abs().max() <= 2 ** (bits - 1) - 1 + 1e-3
    assert ((driven - vector).abs() <= step / 2 * 1.001).all()


def test_brain_floats_land_on_nearly_the_same_grid() -> None:
    vector = torch.randn(64, 384, generator=torch.Generator().manual_seed(0)).bfloat16()
    step = vector.float().abs().amax(dim=-1, keepdim=True) / 127
    driven = Driver()(vector)
    assert driven.dtype == torch.bfloat16
    assert ((driven.float() - vector.float()).abs() <= 1.5 * step).all()
    assert (driven.float() - vector.float()).pow(2).mean().sqrt() < 0.4 * step.mean()


def test_a_token_of_zeros_stays_zero_and_the_input_is_not_changed() -> None:
    for kind in (torch.float32, torch.bfloat16):
        vector = torch.zeros(2, 8, dtype=kind)
        vector[1, 3] = -2
        before = vector.clone()
        assert torch.equal(Driver()(vector), before)
        assert torch.equal(vector, before)


def test_zero_bits_leave_inputs_as_they_are() -> None:
    driver = Driver()
    driver.bits = 0
    vector = torch.randn(2, 8)
    assert driver(vector) is vector


def test_a_shared_input_is_quantised_once_and_forgotten() -> None:
    driver, vector = Driver(), torch.randn(2, 8)
    first = driver(vector)
    assert driver(vector) is first
    assert driver(vector.clone()) is not first
    driver.forget()
    assert driver._input is None
    assert driver._driven is None


def test_with_its_own_matrices_and_no_quantisation_a_model_answers_as_before(model: Any) -> None:
    with torch.inference_mode():
        expected = model(input_ids=INPUTS).logits.clone()
    decomposed = Decomposed(model)
    weights, vectors = decomposed.weights(), decomposed.vectors()
    layers = CrossbarLayers(model, vectors)
    with layers.holding(Effective(weights), None, None, 0):
        assert torch.allclose(logits(layers), expected, atol=1e-6)
    with layers.holding(Effective(weights), None, None, 8):
        eight = logits(layers)
    with layers.holding(Effective(weights), None, None, 3):
        three = logits(layers)
    assert 0 < (eight - expected).abs().max() < (three - expected).abs().max()


def test_queries_keys_and_values_have_one_driver_a_layer(model: Any) -> None:
    layers = CrossbarLayers(model, Decomposed(model).vectors())
    drivers = [[id(linear.driver) for linear in layer] for layer in layers.linears]
    for layer in drivers:
        assert len(set(layer[:3])) == 1
        assert len(set(layer)) == 4
    assert not set(drivers[0]) & set(drivers[1])


def test_given_matrices_are_the_ones_that_run(model: Any) -> None:
    from transformers import BertForSequenceClassification

    decomposed = Decomposed(model)
    weights = {key: value * 0.5 for key, value in decomposed.weights().items()}
    other = BertForSequenceClassification(model.config).eval()
    other.load_state_dict(model.state_dict())
    for layer, linears in enumerate(Decomposed(other).linears):
        for index, linear in enumerate(linears):
            linear.weight.data.copy_(weights[layer, index])
    layers = CrossbarLayers(model, decomposed.vectors())
    with torch.inference_mode():
        expected = other(input_ids=INPUTS).logits
    with layers.holding(Effective(weights), None, None, 0):
        assert torch.allclose(logits(layers), expected, atol=1e-6)


def test_a_dropped_layer_is_skipped_needs_no_matrices_and_comes_back(model: Any) -> None:
    decomposed = Decomposed(model)
    weights = decomposed.weights()
    layers = CrossbarLayers(model, decomposed.vectors())
    first = {key: value for key, value in weights.items() if key[0] == 0}
    with layers.holding(Effective(weights), None, None, 0):
        both = logits(layers)
    with layers.holding(Effective(first), [True, False], None, 0):
        one = logits(layers)
        with torch.inference_mode():
            hidden = model.bert.encoder.layer[0](model.bert.embeddings(INPUTS))
            state = hidden[0] if isinstance(hidden, tuple) else hidden
            expected = model.classifier(model.bert.pooler(state))
        assert torch.allclose(one, expected, atol=1e-5)
    with layers.holding(Effective(weights), None, None, 0):
        assert torch.equal(logits(layers), both)
    assert not torch.allclose(one, both)


def test_a_layer_of_the_base_brings_the_bases_vectors_and_gives_them_back(model: Any) -> None:
    decomposed = Decomposed(model)
    weights = decomposed.weights()
    base = [{name: value + 0.5 for name, value in layer.items()} for layer in decomposed.vectors()]
    layers = CrossbarLayers(model, base)
    with layers.holding(Effective(weights), None, None, 0):
        own = logits(layers)
    with layers.holding(Effective(weights), None, [True, False], 0):
        assert torch.equal(model.bert.encoder.layer[0].output.dense.bias, base[0]["output.dense.bias"])
        assert not torch.equal(model.bert.encoder.layer[1].output.dense.bias, base[1]["output.dense.bias"])
        assert not torch.allclose(logits(layers), own)
    with layers.holding(Effective(weights), None, None, 0):
        assert torch.equal(logits(layers), own)


def test_biases_are_added_to_the_models_own_and_taken_back(model: Any) -> None:
    weights = Decomposed(model).weights()
    layers = CrossbarLayers(model, Decomposed(model).vectors())
    with layers.holding(Effective(weights), None, None, 0):
        before = logits(layers)
    shift = torch.linspace(-3, 3, weights[1, 5].shape[0])
    with layers.holding(Effective(weights, {(1, 5): shift}), None, None, 0):
        shifted = logits(layers)
    with layers.holding(Effective(weights), None, None, 0):
        after = logits(layers)
    by_hand = copy.deepcopy(model)
    by_hand.bert.encoder.layer[1].output.dense.bias.data += shift
    assert torch.equal(before, after)
    torch.testing.assert_close(shifted, by_hand(input_ids=INPUTS).logits)
    with (
        pytest.raises(CheckpointError, match="a bias does not fit"),
        layers.holding(Effective(weights, {(0, 0): shift[:3]}), None, None, 0),
    ):
        pass


def test_a_matrix_that_is_missing_or_misshapen_is_named(model: Any) -> None:
    decomposed = Decomposed(model)
    weights = decomposed.weights()
    layers = CrossbarLayers(model, decomposed.vectors())
    for change, found in (({(1, 2): torch.zeros(3, 3)}, "(3, 3)"), ({}, "none")):
        wrong = {key: value for key, value in weights.items() if key != (1, 2)} | change
        with pytest.raises(CheckpointError) as caught, layers.holding(Effective(wrong), None, None, 8):
            pass
        assert "a matrix does not fit the encoder" in str(caught.value)
        assert "where: layer 1, matrix 2" in str(caught.value)
        assert "expected: (32, 32)" in str(caught.value)
        assert f"found: {found}" in str(caught.value)


def test_an_error_inside_leaves_the_layers_whole(model: Any) -> None:
    decomposed = Decomposed(model)
    layers = CrossbarLayers(model, decomposed.vectors())
    with pytest.raises(ZeroDivisionError), layers.holding(Effective(decomposed.weights()), [False, True], None, 8):
        raise ZeroDivisionError
    assert len(model.bert.encoder.layer) == 2


def test_each_input_vector_reads_every_weight_with_noise_once(model: Any) -> None:
    """The variance of an output is the sum over inputs of the input's square times the variance of the weight's read."""
    decomposed = Decomposed(model)
    weights, layers = decomposed.weights(), CrossbarLayers(model, decomposed.vectors())
    linear = layers.linears[0][0]
    variance = torch.zeros_like(linear.weight)
    variance[3] = torch.linspace(0, 1, variance.shape[1])
    noisy = Effective(dict(weights), read_variance={(0, 0): variance}, read_seed=7)
    vector = torch.randn(1, 32, generator=torch.Generator().manual_seed(0)).repeat(4000, 1).to(linear.weight.dtype)
    found = []
    for _ in range(2):
        with torch.inference_mode(), layers.holding(noisy, None, None, 0):
            found.append(linear(vector).float())
    with torch.inference_mode(), layers.holding(Effective(dict(weights)), None, None, 0):
        noise = found[0] - linear(vector).float()
    assert torch.equal(*found)
    assert not noise[:, :3].any()
    assert float(noise[:, 3].var()) == pytest.approx(float(vector[0].float().square() @ variance[3].float()), rel=0.1)
    assert abs(float(noise[:, 3].mean())) < 0.1
