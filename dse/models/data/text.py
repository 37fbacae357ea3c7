"""Tokenised text in length-sorted batches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from dse.records.arrays import Ints

TOKENS_PER_BATCH = 2048
"""Padded tokens per batch: enough for busy matrix products, few enough for activations to stay in the CPU's cache."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows as token lists.

    Attributes:
        inputs: lists of each row, by input name (``input_ids``, ``attention_mask``, ...).
        lengths: tokens of each row, shape (n,).
        truncated: number of rows that were cut to the longest allowed length.
        pad: padding value of each input; 0 for an input without one.
    """

    inputs: dict[str, list[list[int]]]
    lengths: Ints
    truncated: int
    pad: Mapping[str, int] = field(default_factory=dict)


def encode(tokenizer: Any, frame: pd.DataFrame, max_length: int) -> Encoded:
    """Tokenise texts or pairs, special tokens included."""
    first = list(frame["text"])
    pair = list(frame["text_b"]) if (frame["text_b"] != "").any() else None
    whole = tokenizer(first, pair, truncation=False, verbose=False)
    lengths = np.array([len(ids) for ids in whole["input_ids"]])
    inputs = dict(tokenizer(first, pair, truncation=True, max_length=max_length))
    return Encoded(inputs, np.minimum(lengths, max_length), int((lengths > max_length).sum()), padding(tokenizer))


def encode_sample(tokenizer: Any, frame: pd.DataFrame, max_length: int, rows: int) -> Encoded:
    """Tokenise a fixed random sample of rows, or all rows if there are fewer."""
    chosen = np.random.default_rng(0).permutation(len(frame))[:rows]
    return encode(tokenizer, frame.iloc[chosen], max_length)


def batch(tokens: Encoded, rows: NDArray[Any], device: str = "cpu") -> dict[str, Tensor]:
    """Pad rows to the longest of them; return tensors (rows, length) on a device by input name."""
    longest = int(tokens.lengths[rows].max())
    out = {}
    for name, lists in tokens.inputs.items():
        filled = np.full((len(rows), longest), tokens.pad.get(name, 0), dtype=np.int64)
        for at, row in enumerate(rows):
            filled[at, : len(lists[row])] = lists[row]
        out[name] = torch.from_numpy(filled).to(device)
    return out


def by_length(tokens: Encoded, budget: int = TOKENS_PER_BATCH) -> list[NDArray[Any]]:
    """Sort rows by length into batches of at most ``budget`` padded tokens."""
    order = np.argsort(tokens.lengths, kind="stable")
    parts, start = [], 0
    for end in range(1, len(order) + 1):
        over = end == len(order) or (end + 1 - start) * int(tokens.lengths[order[end]]) > budget
        if over:
            parts.append(order[start:end])
            start = end
    return parts


def iterate_batches(tokens: Encoded, device: str) -> Iterator[tuple[NDArray[Any], dict[str, Tensor]]]:
    """Yield the rows of each length-sorted batch, and their padded inputs on a device."""
    for rows in by_length(tokens):
        yield rows, batch(tokens, rows, device)


def padding(tokenizer: Any) -> dict[str, int]:
    """Return the padding value of each input."""
    return {"input_ids": int(tokenizer.pad_token_id or 0), "token_type_ids": 0, "attention_mask": 0}


def token_moments(lengths: Ints) -> tuple[float, float]:
    """Return the mean and the mean square of token counts."""
    return float(lengths.mean()), float((lengths.astype(float) ** 2).mean())
