"""Families of encoders: on crossbars, with skipped layers, behind exits and in a trunk they compute what transformers does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dse.models.data.text import Encoded
from dse.models.encoder import Decomposed
from dse.models.inference.crossbar import CrossbarLayers
from dse.models.inference.evaluate import on_crossbars
from dse.models.inference.observe import observe
from dse.models.slots import Repeat
from dse.records.effective import Effective
from dse.records.exits import ExitHead
from tests.support.families import FAMILIES, Family, make

IDS = torch.tensor([[3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 0, 0], [13, 14, 15, 16, 17, 0]])
INPUTS = {"input_ids": IDS, "attention_mask": (IDS != 0).long()}
every = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def answers(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(**INPUTS).logits
    return logits


@every
def test_a_family_on_crossbars_computes_what_transformers_does(family: Family) -> None:
    model = make(family)
    expected = answers(model)
    decomposed = Decomposed(model)
    weights = decomposed.weights()
    layers = CrossbarLayers(model, decomposed.vectors())
    never = ExitHead(torch.zeros(2, 2 * decomposed.shape().hidden), torch.zeros(2), 1.0)
    with torch.inference_mode():
        with layers.holding(Effective(weights), None, None, 0):
            assert torch.allclose(layers.logits(INPUTS), expected, atol=1e-5)
        with layers.holding(Effective(weights, exits={0: never}), None, None, 0):
            assert torch.allclose(layers.logits(INPUTS), expected, atol=1e-5)
        with layers.holding(Effective(weights), [False, True], None, 0):
            assert not torch.allclose(layers.logits(INPUTS), expected, atol=1e-3)
    assert torch.allclose(answers(model), expected, atol=1e-5)


@every
def test_a_row_that_leaves_early_changes_no_other_row(family: Family) -> None:
    model = make(family)
    decomposed = Decomposed(model)
    states: list[torch.Tensor] = []
    hook = decomposed.layers[0].register_forward_hook(
        lambda _, __, output: states.append(output[0] if isinstance(output, tuple) else output)
    )
    expected = answers(model)
    hook.remove()
    layers = CrossbarLayers(model, decomposed.vectors())
    seen = ExitHead.states(states[0], INPUTS["attention_mask"])
    sure = torch.linalg.pinv(seen) @ torch.tensor([20.0, 0.0, 0.0])  # of the first row alone
    head = ExitHead(torch.stack([sure, torch.zeros_like(sure)]), torch.zeros(2), 0.99)
    with torch.inference_mode(), layers.holding(Effective(decomposed.weights(), exits={0: head}), None, None, 0):
        early = layers.logits(INPUTS)
        assert layers.reach == {0: 1.0, 1: pytest.approx(2 / 3)}
    assert torch.allclose(early[0], torch.tensor([20.0, 0.0]), atol=1e-2)
    assert torch.allclose(early[1:], expected[1:], atol=1e-5)


@every
def test_a_trunk_repeats_its_outputs_for_another_head(family: Family) -> None:
    model, other = make(family), make(family, seed=1)
    expected = answers(model)
    parts = [Decomposed(one) for one in (model, other)]
    trunk = {index: Repeat(layer) for index, layer in enumerate(parts[0].layers)}
    for one in parts:
        one.put(trunk)
    assert torch.allclose(answers(model), expected, atol=1e-5)
    first = answers(other)
    assert torch.equal(first, answers(other))
    for layer in trunk.values():
        layer.outputs = None
    assert not torch.allclose(first, answers(other), atol=1e-4)  # the other embeddings reach the layers now


@every
def test_every_matrix_of_the_layers_that_run_is_observed_once_per_token(family: Family) -> None:
    model = make(family)
    lengths = INPUTS["attention_mask"].sum(dim=1)
    rows = {
        name: [list(map(int, row[:n])) for row, n in zip(value, lengths, strict=True)] for name, value in INPUTS.items()
    }
    shape = Decomposed(model).shape()
    (seen,) = observe(model, Encoded(rows, lengths.numpy(), 0), device="cpu", layers=[1])
    assert set(seen.inputs) == set(seen.gradients) == {(1, index) for index in range(len(shape.matrices))}
    for (_, index), inputs in seen.inputs.items():
        matrix = shape.matrices[index]
        assert inputs.shape == (3, 6, matrix.rows)
        assert seen.gradients[1, index].shape == (3, 6, matrix.columns)
    assert {layer: state.shape for layer, state in seen.states.items()} == {1: (3, 6, shape.hidden)}


@every
def test_embeddings_are_the_tables_of_words_and_positions_with_their_norm(family: Family) -> None:
    model = make(family)
    embeddings = Decomposed(model).embedding_names()
    words = model.get_input_embeddings().weight
    wide = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Embedding)}
    tables = {f"{name}.weight" for name in wide} - {name for name in embeddings if "bias" in name}
    assert {name for name, value in model.named_parameters() if value is words} <= embeddings
    assert tables - {"mpnet.encoder.relative_attention_bias.weight"} <= embeddings
    assert not any("classifier" in name or "pooler" in name or "layers." in name for name in embeddings)


@pytest.mark.parametrize(
    "family",
    [family for family in FAMILIES if family.model != "EuroBert"],  # it sums answers over tokens, beyond any float
    ids=lambda family: family.name,
)
def test_a_family_that_overflows_in_bf16_does_not_in_fp32(family: Family) -> None:
    finite = {}
    for precision in ("bf16", "fp32"):
        model = make(family)
        _, bias = [pair for pair in model.named_parameters() if pair[0].endswith(("classifier.bias", "out_proj.bias"))][
            -1
        ]
        bias.data[0] = 3.4e38  # a finite float32 that rounds to infinity in bf16
        weights, vectors = Decomposed(model).weights(), Decomposed(model).vectors()
        layers = on_crossbars(model, vectors, precision, "cpu")
        with torch.inference_mode(), layers.holding(Effective(weights), None, None, 8):
            finite[precision] = bool(layers.logits(INPUTS).isfinite().all())
    assert finite == {"bf16": False, "fp32": True}
