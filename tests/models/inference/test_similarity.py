"""Similarity is what its formulas say, of the states that the models really have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.models import checkpoints as models
from dse.models.data.text import batch, by_length, encode_sample
from dse.models.inference.similarity import hidden_states, linear_cka, mean_cosine, pool_rows, similarity
from dse.models.loaded_workload import LoadedWorkload

Load = Callable[..., LoadedWorkload]


def drawn(seed: int, tokens: int = 40, width: int = 6) -> torch.Tensor:
    return torch.randn((tokens, width), generator=torch.Generator().manual_seed(seed)) + 1.5


@given(st.integers(0, 10_000), st.integers(3, 60), st.integers(1, 8), st.integers(1, 8))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_cka_is_the_alignment_of_centred_gram_matrices(seed: int, tokens: int, width: int, other_width: int) -> None:
    """The same by its definition over pairs of tokens, tr(KHLH) / sqrt(tr(KHKH) tr(LHLH)), instead of over elements."""
    one, other = drawn(seed, tokens, width), drawn(seed + 1, tokens, other_width)
    centre = np.eye(tokens) - 1 / tokens
    first, second = (centre @ (x.numpy().astype(float) @ x.numpy().astype(float).T) @ centre for x in (one, other))
    expected = np.trace(first @ second) / np.sqrt(np.trace(first @ first) * np.trace(second @ second))

    found = linear_cka([one, other])

    np.testing.assert_allclose(found, [[1, expected], [expected, 1]], rtol=1e-3, atol=1e-5)


def test_cka_is_one_for_the_same_turned_scaled_and_shifted_and_nearly_none_for_the_unlike() -> None:
    one = drawn(0, 5000)
    turn = torch.linalg.qr(torch.randn((6, 6), generator=torch.Generator().manual_seed(3))).Q
    found = linear_cka([one, one.clone(), 3 * one @ turn + 7, drawn(1, 5000)])

    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(1, abs=1e-5)
    assert found[0, 3] < 0.01


def test_cka_of_states_that_never_change_is_not_a_number() -> None:
    found = linear_cka([drawn(0), torch.ones((40, 6))])

    assert found[0, 0] == pytest.approx(1.0)
    assert np.isnan(found[0, 1])


def test_cosine_is_the_mean_over_tokens() -> None:
    one, other = drawn(0), drawn(1)
    by_hand = [float(a @ b / (a.norm() * b.norm())) for a, b in zip(one, other, strict=True)]

    np.testing.assert_allclose(mean_cosine([one, other])[0, 1], np.mean(by_hand), rtol=1e-5)
    np.testing.assert_allclose(np.diag(mean_cosine([one, other])), 1, rtol=1e-12)
    assert mean_cosine([one, -one])[0, 1] == pytest.approx(-1)


def test_rows_are_pooled_from_all_tasks_alike_and_each_is_cut_to_its_own_length(load: Load) -> None:
    work = load()
    tokens = pool_rows(work, 9)

    assert len(tokens.lengths) == 10  # five of each task
    assert (
        tokens.lengths[:5].tolist()
        == encode_sample(work.tokenizer, work.tasks["class"].splits.train, 16, 5).lengths.tolist()
    )
    assert tokens.lengths[5:].max() <= 8
    assert [len(ids) for ids in tokens.inputs["input_ids"]] == tokens.lengths.tolist()


def test_states_are_the_outputs_of_the_layers_at_the_tokens_kept_and_padding_never_counts(load: Load) -> None:
    work = load()
    model: Any = models.load_model(work.source, labels=1).eval()
    tokens = pool_rows(work, 40)
    kept = np.random.default_rng(1).random(int(tokens.lengths.sum())) < 0.5
    seen: list[torch.Tensor] = []
    for_by_hand = model.bert.encoder.layer[0].register_forward_hook(
        lambda _module, _inputs, output: seen.append(output[0] if isinstance(output, tuple) else output)
    )
    with torch.inference_mode():
        (rows,) = by_length(tokens)
        fed = batch(tokens, rows)
        model(**fed)
    for_by_hand.remove()

    first, last = hidden_states(model, tokens, kept, device="cpu")

    assert not fed["attention_mask"].all()
    torch.testing.assert_close(first, seen[0][fed["attention_mask"].bool()][torch.from_numpy(kept)])
    assert last.shape == (kept.sum(), 32)


def test_a_task_is_the_base_where_fine_tuning_changed_nothing(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    work = load()
    whole = similarity(work, 40)
    make = work.tasks["class"].model

    def with_the_bases_first_layer() -> tuple[Any, dict[str, float]]:
        model: Any
        model, scaling = make()
        base: Any = models.load_model(work.source, labels=1)
        model.bert.encoder.layer[0].load_state_dict(base.bert.encoder.layer[0].state_dict())
        return model, scaling

    monkeypatch.setattr(work.tasks["class"], "model", with_the_bases_first_layer)
    found = similarity(work, 40)

    for name in ("cka", "cosine"):
        assert whole[name].shape == (3, 3, 2)
        np.testing.assert_allclose(np.diagonal(whole[name]), 1, rtol=1e-9)
        np.testing.assert_array_equal(whole[name], whole[name].transpose(1, 0, 2))
        assert (whole[name][0, 1] < 1 - 1e-5).all()
        assert found[name][0, 1, 0] == pytest.approx(1, abs=1e-9)
        assert found[name][0, 1, 1] < 1 - 1e-5
        np.testing.assert_array_equal(found[name][0, 2], whole[name][0, 2])


def test_the_same_rows_give_the_same(load: Load) -> None:
    first, again = (similarity(load(), 20) for _ in range(2))

    np.testing.assert_array_equal(first["cka"], again["cka"])
    np.testing.assert_array_equal(first["cosine"], again["cosine"])
