"""Rows that are sure enough leave with an early answer and are not computed any further."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dse.errors import CheckpointError
from dse.models.encoder import Decomposed
from dse.models.inference.crossbar import CrossbarLayers
from dse.records.effective import Effective
from dse.records.exits import ExitHead
from tests.support.text import WORDS
from tests.support.tiny import make_classifier

INPUTS = torch.tensor([[3, 5, 6, 7, 8], [3, 9, 10, 11, 0], [3, 7, 0, 0, 0], [3, 12, 13, 0, 0]])
FED = {"input_ids": INPUTS, "attention_mask": (INPUTS > 0).long()}


@pytest.fixture
def model() -> Any:
    return make_classifier(WORDS, num_hidden_layers=3)


def head(threshold: float) -> ExitHead:
    draw = torch.Generator().manual_seed(1)
    return ExitHead(torch.randn(2, 64, generator=draw) * 0.1, torch.randn(2, generator=draw) * 0.1, threshold)


def answers(layers: CrossbarLayers, held: Effective, **named: Any) -> tuple[torch.Tensor, Any, list[int]]:
    """Logits, the share of rows each layer ran, and how many rows reached each layer's first matrix."""
    ran: list[int] = []
    hooks = [
        linears[0].register_forward_pre_hook(lambda _, given: ran.append(len(given[0]))) for linears in layers.linears
    ]
    with torch.inference_mode(), layers.holding(held, named.get("keep"), None, 0):
        found = layers.logits(FED).clone()
        reach = layers.reach
    for hook in hooks:
        hook.remove()
    return found, reach, ran


def test_rows_leave_with_the_heads_answer_and_the_others_go_on_as_if_alone(model: Any) -> None:
    weights, vectors = Decomposed(model).weights(), Decomposed(model).vectors()
    with torch.inference_mode():
        plain = model(**FED, output_hidden_states=True)
    first = head(0.0)
    early = torch.nn.functional.linear(
        ExitHead.states(plain.hidden_states[1], FED["attention_mask"]), first.weight, first.bias
    )
    sure = early.softmax(-1).amax(-1)
    between = float(sure.sort().values[1:3].mean())
    layers = CrossbarLayers(model, vectors)
    found, reach, ran = answers(layers, Effective(weights, exits={0: head(between)}))
    leaves = sure >= between

    assert leaves.sum() == 2
    assert torch.allclose(found[leaves], early[leaves], atol=1e-5)
    assert torch.allclose(found[~leaves], plain.logits[~leaves], atol=1e-5)
    assert reach == {0: 1.0, 1: 0.5, 2: 0.5}
    assert ran == [4, 2, 2]  # what is skipped is not computed


def test_where_all_leave_nothing_runs_and_where_none_may_nothing_changes(model: Any) -> None:
    weights, vectors = Decomposed(model).weights(), Decomposed(model).vectors()
    layers = CrossbarLayers(model, vectors)
    plain, nowhere, _ = answers(layers, Effective(weights))
    _, reach, ran = answers(layers, Effective(weights, exits={0: head(0.0), 1: head(0.0)}))
    assert nowhere is None
    assert reach == {0: 1.0, 1: 0.0, 2: 0.0}
    assert ran == [4]
    never, reach, ran = answers(layers, Effective(weights, exits={1: head(1.1)}))
    assert torch.equal(never, plain)
    assert reach == {0: 1.0, 1: 1.0, 2: 1.0}
    again, nowhere, ran = answers(layers, Effective(weights))
    assert torch.equal(again, plain)
    assert nowhere is None


def test_rows_leave_a_model_that_skips_layers(model: Any) -> None:
    weights, vectors = Decomposed(model).weights(), Decomposed(model).vectors()
    held = Effective({key: value for key, value in weights.items() if key[0] != 1}, exits={0: head(0.0)})
    layers = CrossbarLayers(model, vectors)
    _, reach, _ = answers(layers, held, keep=[True, False, True])
    assert reach == {0: 1.0, 2: 0.0}
    with (
        pytest.raises(CheckpointError, match="cannot leave after a layer that does not run"),
        layers.holding(Effective(held.weights, exits={1: head(0.0)}), [True, False, True], None, 0),
    ):
        pass


@pytest.mark.parametrize("kind", ["DistilBert", "MPNet", "Roberta"])
def test_other_architectures_let_rows_leave(kind: str) -> None:
    import transformers

    sizes: dict[str, Any] = {"vocab_size": 60, "max_position_embeddings": 32, "initializer_range": 0.3}
    if kind == "DistilBert":
        sizes |= {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
    else:
        sizes |= {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**sizes)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    weights, vectors = Decomposed(model).weights(), Decomposed(model).vectors()
    layers = CrossbarLayers(model, vectors)
    plain, _, _ = answers(layers, Effective(weights))
    never, _, _ = answers(layers, Effective(weights, exits={0: head(1.1)}))
    found, reach, ran = answers(layers, Effective(weights, exits={0: head(0.0)}))
    assert torch.allclose(never, plain, atol=1e-6)
    assert not torch.allclose(found, plain, atol=1e-3)
    assert reach == {0: 1.0, 1: 0.0}
    assert ran == [4]
