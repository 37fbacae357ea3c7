from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.models.checkpoints import load_tokenizer
from dse.models.data.text import Encoded, batch, by_length, encode
from tests.support.text import frame


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.integers(1, 80), min_size=1, max_size=60), st.integers(8, 200))
def test_batches_hold_every_row_once_sorted_and_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = by_length(Encoded({}, np.array(lengths), 0), budget)
    rows = np.concatenate(batches)
    assert sorted(rows) == list(range(len(lengths)))
    assert (np.diff(np.array(lengths)[rows]) >= 0).all()
    for chosen in batches:
        assert len(chosen) == 1 or len(chosen) * max(lengths[row] for row in chosen) <= budget


def test_lengths_count_special_tokens_and_stop_at_the_longest_allowed(base: Path) -> None:
    tokenizer = load_tokenizer(str(base))
    tokens = encode(tokenizer, frame(["w1", "w1 w2 w3 w4 w5 w6 w7 w8"], [0, 1]), max_length=8)
    assert tokens.lengths.tolist() == [3, 8]
    assert tokens.truncated == 1
    assert [len(ids) for ids in tokens.inputs["input_ids"]] == [3, 8]
    assert tokens.inputs["input_ids"][1][-1] == tokenizer.sep_token_id


def test_pairs_are_one_input_with_two_kinds_of_tokens(base: Path) -> None:
    table = frame(["w1 w2"], [0]).assign(text_b="w3")
    tokens = encode(load_tokenizer(str(base)), table, max_length=16)
    assert tokens.inputs["token_type_ids"] == [[0, 0, 0, 0, 1, 1]]


def test_short_rows_are_padded_to_the_longest_of_their_batch(base: Path) -> None:
    tokenizer = load_tokenizer(str(base))
    tokens = encode(tokenizer, frame(["w1", "w1 w2 w3"], [0, 1]), max_length=16)
    padded = batch(tokens, np.array([1, 0]))
    assert padded["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert padded["input_ids"][1, 3:].tolist() == [tokenizer.pad_token_id] * 2


def test_every_word_of_the_fixture_is_known(base: Path) -> None:
    tokenizer = load_tokenizer(str(base))
    assert tokenizer("w0 w39")["input_ids"] == [2, 5, 44, 3]
