"""Importance is the squared slope of the logits along a mask; what the least units carry is counted right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.analysis.importance import importance, least
from dse.models.data.text import batch, by_length, encode_sample
from dse.score.problem import WorkloadProblem
from dse.testing import TinyContext, tiny_workload

ROWS = 24


def masked(model: Any, inputs: dict[str, torch.Tensor], path: str, layer: int, mask: torch.Tensor) -> torch.Tensor:
    """Logits where the inputs of a matrix are multiplied by a mask (rows, units), each of as many inputs as fit."""

    def scale(_module: object, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        return (arguments[0] * mask.repeat_interleave(arguments[0].shape[-1] // mask.shape[1], dim=1)[:, None],)

    hook = model.bert.encoder.layer[layer].get_submodule(path).register_forward_pre_hook(scale)
    try:
        logits: torch.Tensor = model(**inputs).logits
        return logits
    finally:
        hook.remove()


@pytest.mark.parametrize(
    ("unit", "path", "count"), [("heads", "attention.output.dense", 4), ("ffn", "output.dense", 64)]
)
@pytest.mark.parametrize("task", [0, 1])
def test_it_is_the_squared_slope_of_the_logits_along_a_mask(
    problem: WorkloadProblem, unit: str, path: str, count: int, task: int
) -> None:
    loaded = problem._loaded.tasks[problem.tasks[task]]
    model: Any = loaded.model()[0].eval()
    tokens = encode_sample(problem._loaded.tokenizer, loaded.splits.train, loaded.spec.max_length, ROWS)
    (order,) = by_length(tokens)
    inputs = batch(tokens, order)
    found = importance(problem.context, task, ROWS)[unit]

    assert found.shape == (2, count)
    for layer in range(2):
        mask = torch.ones((ROWS, count), requires_grad=True)
        logits = masked(model, inputs, path, layer, mask)
        random = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))  # those that `observe` draws
        (slope,) = torch.autograd.grad((logits * random).sum(), mask)
        np.testing.assert_allclose(found[layer], slope.square().mean(dim=0), rtol=1e-3)

        step, one = 1e-2, int(found[layer].argmax())
        ends = []
        for sign in (1, -1):
            moved = torch.ones((ROWS, count))
            moved[:, one] += sign * step
            with torch.inference_mode():
                ends.append((masked(model, inputs, path, layer, moved) * random).sum(dim=1))
        change = (ends[0] - ends[1]) / (2 * step)
        assert found[layer, one] == pytest.approx(float(change.square().mean()), rel=0.02)


def test_padding_counts_for_nothing() -> None:
    load = tiny_workload(1)
    context = TinyContext(load)
    total = 0.0
    weight = context.task_weights(0)[1, 3]
    rows = 0
    for seen in context.observe(0):
        pull = seen.gradients[1, 3] @ weight
        for row in range(len(seen.mask)):
            rows += 1
            product = (seen.inputs[1, 3][row] * pull[row])[seen.mask[row]]
            total += float(product[:, 8:16].sum()) ** 2  # the second head

    assert importance(context, 0, 384)["heads"][1, 1] == pytest.approx(total / rows, rel=1e-4)  # type: ignore[arg-type]


def test_an_encoder_that_does_not_tell_its_parts_has_neither_heads_nor_columns(
    problem: WorkloadProblem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dse.analysis.importance.UNITS", {"heads": "nothing"})

    assert importance(problem.context, 0, ROWS) == {}


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=5, max_size=5), min_size=1, max_size=4))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_least_carry_no_more_than_their_number(values: list[list[float]]) -> None:
    found = np.array(values)
    half, below = least(found)

    for layer, units in enumerate(found):
        ordered = sorted(units)
        total = sum(ordered)
        if total == 0:
            assert np.isnan(half[layer])
            assert below[layer] == 0
            continue
        assert half[layer] == pytest.approx(sum(ordered[:2]) / total)
        assert half[layer] <= 2 / 5 + 1e-9
        cumulative = np.cumsum(ordered)
        assert below[layer] == (cumulative < 0.01 * cumulative[-1]).sum()


def test_what_the_least_carry_by_hand() -> None:
    half, below = least(np.array([[90.0, 0.5, 9.1, 0.4], [1.0, 1.0, 1.0, 1.0]]))

    assert half.tolist() == pytest.approx([0.009, 0.5])
    assert below.tolist() == [2, 0]
