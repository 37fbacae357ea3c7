"""Inputs are those the model saw, and gradients foretell what a change does to the logits."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dse.models.data.text import Encoded, batch, by_length, encode
from dse.models.encoder import Decomposed
from dse.models.inference.observe import observe
from tests.support.text import WORDS, rows
from tests.support.tiny import make_classifier

STEP = 1e-3


@pytest.fixture
def model() -> Any:
    return make_classifier(WORDS, num_labels=1)


@pytest.fixture
def tokenizer(base: Any) -> Any:
    from dse.models.checkpoints import load_tokenizer

    return load_tokenizer(str(base))


@pytest.fixture
def tokens(tokenizer: Any) -> Encoded:
    frame = rows(30)
    frame["text_b"] = ""
    return encode(tokenizer, frame, 16)


def test_gradients_give_the_change_of_the_logit_up_to_one_factor_a_row(model: Any, tokens: Encoded) -> None:
    (seen,) = observe(model, tokens, device="cpu")

    (order,) = by_length(tokens)
    fed = batch(tokens, order)
    decomposed = Decomposed(model)
    before = model(**fed).logits[:, 0].detach()
    factors = []
    for key in ((0, 2), (0, 5), (1, 4)):
        linear = decomposed.linears[key[0]][key[1]]
        shift = torch.randn(linear.weight.shape[0], generator=torch.Generator().manual_seed(1)) * STEP
        linear.bias.data += shift
        change = model(**fed).logits[:, 0].detach() - before
        linear.bias.data -= shift
        factors.append((seen.gradients[key] * shift).sum(dim=(1, 2)) / change)
    for other in factors[1:]:
        torch.testing.assert_close(other, factors[0], rtol=0.05, atol=0.05)
    assert factors[0].std() > 0.3


def test_inputs_are_those_of_the_matrices_and_padding_is_marked(model: Any, tokens: Encoded) -> None:
    seen = list(observe(model, tokens, device="cpu"))
    assert sum(len(part.mask) for part in seen) == 30
    assert sum(int(part.mask.sum()) for part in seen) == int(tokens.lengths.sum())
    for part in seen:
        assert torch.equal(part.inputs[0, 0], part.inputs[0, 1])
        assert part.inputs[1, 5].shape == (*part.mask.shape, 64)
        assert part.gradients[1, 5].shape == (*part.mask.shape, 32)


def test_the_same_rows_give_the_same_and_leave_no_hook(model: Any, tokens: Encoded) -> None:
    first, again = ([part.gradients[0, 0] for part in observe(model, tokens, device="cpu")] for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not any(module._forward_hooks for module in model.modules())
