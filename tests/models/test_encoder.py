from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from dse.errors import CheckpointError
from dse.models.encoder import Decomposed
from tests.support.tiny import make_model

SIZES = {"vocab_size": 50, "num_hidden_layers": 3, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 48}
DISTIL = {"vocab_size": 50, "n_layers": 3, "n_heads": 2, "dim": 16, "hidden_dim": 48}
BERT = [f"attention.self.{name}" for name in ("query", "key", "value")]
BERT += ["attention.output.dense", "intermediate.dense", "output.dense"]
DISTILBERT = [f"attention.{name}_lin" for name in ("q", "k", "v", "out")] + ["ffn.lin1", "ffn.lin2"]
MPNET = [f"attention.attn.{name}" for name in "qkvo"] + ["intermediate.dense", "output.dense"]
FAMILIES: list[tuple[str, dict[str, int], list[str]]] = [
    ("Bert", SIZES, BERT),
    ("Roberta", SIZES, BERT),
    ("Electra", SIZES | {"embedding_size": 8}, BERT),
    ("DistilBert", DISTIL, DISTILBERT),
    ("MPNet", SIZES, MPNET),
]


def build(family: str, sizes: dict[str, int], head: str = "ForSequenceClassification") -> Any:
    import transformers

    return make_model(getattr(transformers, f"{family}Config")(**sizes), head=head)


@pytest.mark.parametrize("head", ["ForSequenceClassification", "Model"])
@pytest.mark.parametrize(("family", "sizes", "names"), FAMILIES)
def test_every_family_is_six_matrices_a_layer_of_which_three_share_their_input(
    family: str, sizes: dict[str, int], names: list[str], head: str
) -> None:
    shape = Decomposed(build(family, sizes, head)).shape()
    assert (shape.layers, shape.heads, shape.hidden, shape.ffn) == (3, 2, 16, 48)
    assert [matrix.name for matrix in shape.matrices] == names
    assert [matrix.input for matrix in shape.matrices] == [names[0]] * 3 + names[3:]
    assert [(matrix.rows, matrix.columns) for matrix in shape.matrices] == [(16, 16)] * 4 + [(16, 48), (48, 16)]
    roles = ["query", "key", "value", "attention_output", "ffn_in", "ffn_out"]
    assert [matrix.role for matrix in shape.matrices] == roles


@pytest.mark.parametrize(("family", "sizes"), [(family, sizes) for family, sizes, _ in FAMILIES])
def test_every_parameter_is_a_matrix_a_vector_an_embedding_or_of_the_head(family: str, sizes: dict[str, int]) -> None:
    model = build(family, sizes)
    decomposed = Decomposed(model)
    shape = decomposed.shape()
    matrices = sum(value.numel() for value in decomposed.weights().values())
    head = sum(value.numel() for name, value in model.named_parameters() if name in decomposed.head_names())
    total = matrices + shape.layers * shape.vector_parameters + shape.embedding_parameters + head
    assert total == sum(value.numel() for value in model.parameters())
    assert shape.vector_parameters == 4 * 16 + 48 + 16 + 4 * 16
    assert any("classifier" in name for name in decomposed.head_names())
    assert not any("word_embeddings" in name for name in decomposed.head_names())


def test_weights_and_vectors_are_copies_of_the_models_own() -> None:
    model = build("Bert", SIZES)
    decomposed = Decomposed(model)
    weights, vectors = decomposed.weights(), decomposed.vectors()
    linear = model.bert.encoder.layer[1].output.dense
    assert torch.equal(weights[1, 5], linear.weight)
    assert torch.equal(vectors[1]["output.dense.bias"], linear.bias)
    assert sorted(weights) == [(layer, matrix) for layer in range(3) for matrix in range(6)]
    linear.weight.data.zero_()
    linear.bias.data.fill_(7)
    assert weights[1, 5].abs().sum() > 0
    assert vectors[1]["output.dense.bias"].max() < 7


def test_decomposing_leaves_the_model_as_it_was() -> None:
    model = build("Bert", SIZES).train()
    Decomposed(model)
    assert model.training
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_matrices_without_a_known_name_have_no_role() -> None:
    model = build("Bert", SIZES)
    for layer in model.bert.encoder.layer:
        layer.intermediate.wide = layer.intermediate.dense
        del layer.intermediate.dense
        layer.intermediate.forward = lambda x, own=layer.intermediate: torch.relu(own.wide(x))
    shape = Decomposed(model).shape()
    assert [matrix.role for matrix in shape.matrices if matrix.name == "intermediate.wide"] == ["other"]


def test_layers_that_differ_are_refused() -> None:
    model = build("Bert", SIZES)
    model.bert.encoder.layer[2].intermediate.dense = nn.Linear(16, 40)
    with pytest.raises(CheckpointError) as caught:
        Decomposed(model)
    assert "the encoder's layers differ in shape" in str(caught.value)
    assert "where: layer 2" in str(caught.value)
    assert "(40, 16)" in str(caught.value)


def test_a_model_without_layers_is_refused() -> None:
    with pytest.raises(CheckpointError) as caught:
        Decomposed(nn.Sequential(nn.Linear(2, 2)))
    assert "no list of layers with linear matrices" in str(caught.value)
    assert "where: Sequential" in str(caught.value)


def test_a_matrix_that_is_never_used_is_refused() -> None:
    model = build("Bert", SIZES)
    for layer in model.bert.encoder.layer:
        layer.spare = nn.Linear(4, 4)
    with pytest.raises(CheckpointError, match="never used") as caught:
        Decomposed(model)
    assert "where: spare" in str(caught.value)


def test_an_encoder_that_reuses_one_layer_is_refused() -> None:
    model = build("Albert", SIZES | {"embedding_size": 8})
    with pytest.raises(CheckpointError, match="layers"):
        Decomposed(model)


def test_a_feed_forward_layer_may_be_narrower_than_the_model(config: Callable[..., Any]) -> None:
    assert Decomposed(make_model(config(intermediate_size=16))).shape().ffn == 16
